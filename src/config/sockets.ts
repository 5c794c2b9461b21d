// The Unix sockets of a configuration as one list: `listen.socket`, whose name is `socket`, and those of `listen.sockets`.
import type { Config } from './schema/config.ts';

export interface NamedSocket {
  /** What is known of callers that come through it. */
  readonly name: string;
  readonly path: string;
  /** Undefined: the group of this process. */
  readonly group?: number | undefined;
}

export const socketsOf = ({ socket, sockets = [] }: Config['listen']): readonly NamedSocket[] => [
  ...(socket === undefined ? [] : [{ name: 'socket', path: socket }]),
  ...sockets,
];
