// Where a listener is in the configuration: a Unix socket, an address with a token, or both.
import Type from 'typebox';
import { closed, filePath, listenAddress } from './shared.ts';

const Tcp = Type.Object(
  {
    address: Type.String({
      ...listenAddress,
      description: 'host:port; port 0 takes a free one.',
    }),
    tokenFile: Type.Optional(
      Type.String({ ...filePath, description: 'A file with the bearer token that callers must send.' }),
    ),
    insecure: Type.Optional(Type.Boolean({ description: 'Serve without a token. Default false.' })),
    exposed: Type.Optional(Type.Boolean({ description: 'Allow an address that other hosts reach. Default false.' })),
  },
  closed,
);

export const ListenerPlaces = {
  socket: Type.Optional(
    Type.String({ ...filePath, maxLength: 107, description: 'Path of the Unix socket, created with mode 0660.' }),
  ),
  tcp: Type.Optional(Tcp),
};
