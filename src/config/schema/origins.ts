// Servers that material comes from, as they are written in the configuration: where they are, who we are to them, what is read.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { Interval, Keys, closed, filePath, oneOf } from './shared.ts';

export const File = (description: string) => Type.String({ ...filePath, maxLength: 4096, description });

export const Address = Type.String({
  pattern: '^https?://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$',
  form: 'an address such as https://vault.example:8200, without a path',
  maxLength: 300,
});

/** What every server has. */
export const server = {
  address: Type.Union([Address, Type.Array(Address, { minItems: 1, maxItems: 16 })], {
    description: 'Where it is; several are nodes of one cluster, and the next is asked where one cannot answer.',
  }),
  insecure: Type.Optional(
    Type.Boolean({
      description: 'Allow http:// to another host: tokens and keys are then readable on the way. Default false.',
    }),
  ),
  tls: Type.Optional(
    Type.Object(
      {
        caFile: Type.Optional(
          File('Who signed the certificate of the server, in PEM. Node’s list, unless it is given.'),
        ),
        certFile: Type.Optional(File('Our certificate, where the server asks for one, in PEM.')),
        keyFile: Type.Optional(File('Its key.')),
        serverName: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 253,
            description: 'The name in the certificate, if it is not that of the address.',
          }),
        ),
      },
      closed,
    ),
  ),
} as const;

const poll = (what: string) => Type.Optional(Interval(`${what} Default 10s.`));

export const Mount = (description: string, absent: string) =>
  Type.Optional(
    Type.String({
      default: absent,
      pattern: '^[^/?#%\\s]+(/[^/?#%\\s]+)*$',
      form: 'parts with / between, and none before or after',
      maxLength: 512,
      description,
    }),
  );

const Jwt = (mount: string, description: string) =>
  Type.Object(
    {
      role: Type.String({ minLength: 1, maxLength: 256, description: 'The role to log in as.' }),
      tokenFile: File(description),
      mount: Mount('Where the method is mounted.', mount),
    },
    closed,
  );

const VaultAuth = Type.Object(
  {
    kubernetes: Type.Optional(
      Jwt(
        'kubernetes',
        'A projected token of a service account, with an audience of its own; read again for each log-in.',
      ),
    ),
    jwt: Type.Optional(Jwt('jwt', 'A JWT that Vault trusts; read again for each log-in.')),
    appRole: Type.Optional(
      Type.Object(
        {
          roleIdFile: File('A file with the role id.'),
          secretIdFile: File('A file with the secret id; read again for each log-in.'),
          mount: Mount('Where the method is mounted.', 'approle'),
        },
        closed,
      ),
    ),
    token: Type.Optional(
      Type.Object(
        { tokenFile: File('A file with a token, as an agent of Vault keeps one; read again when the token ends.') },
        closed,
      ),
    ),
  },
  { ...oneOf, description: 'How to log in: exactly one.' },
);

/** Where it is, and who we are to it. */
export const vaultAccess = {
  ...server,
  namespace: Type.Optional(
    Type.String({
      pattern: '^[^\\s]+$',
      form: 'a name without spaces',
      maxLength: 512,
      description: 'The namespace to log in to, and to read from.',
    }),
  ),
  auth: VaultAuth,
} as const;

export const Vault = Type.Object(
  {
    ...vaultAccess,
    mount: Mount('Where the KV engine is mounted.', defaults.vaultMount),
    path: Type.String({
      pattern: '^[^/\\s]+(/[^/\\s]+)*$',
      form: 'parts with / between, and none before or after',
      maxLength: 1024,
      description: 'The secret, without the mount and without `data/`. All its keys are one set.',
    }),
    engine: Type.Optional(
      Type.Union([Type.Literal(2), Type.Literal(1)], {
        default: defaults.vaultEngine,
        description: 'The version of the KV engine: 2 keeps versions of each secret.',
      }),
    ),
    version: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_147_483_647,
        description: 'One version of the secret for ever; with engine 2. The newest, unless it is given.',
      }),
    ),
    keys: Type.Optional(Keys('Material name → key of the secret that holds it.')),
    poll: poll('How often to ask for a new version.'),
  },
  closed,
);

const HostName = Type.String({
  pattern: '^[A-Za-z0-9*]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$',
  form: 'a host name',
});

export const Pki = Type.Object(
  {
    ...vaultAccess,
    mount: Mount('Where the PKI engine is mounted.', defaults.pkiMount),
    role: Type.String({
      pattern: '^\\w([\\w.-]{0,126}\\w)?$',
      form: 'the name of a role',
      maxLength: 128,
      description: 'The role of the engine that says what may be issued.',
    }),
    commonName: Type.String({ minLength: 1, maxLength: 64, description: 'Whom the certificate is about.' }),
    altNames: Type.Optional(
      Type.Array(HostName, { minItems: 1, maxItems: 32, description: 'Host names that it is for.' }),
    ),
    ttl: Type.Optional(Interval('How long it is to last. As long as the role says, unless it is given.')),
    keyType: Type.Optional(
      Type.Union([Type.Literal('ec'), Type.Literal('rsa')], {
        default: defaults.pkiKeyType,
        description: 'The key that is made here: P-256, or RSA with 2048 bits.',
      }),
    ),
    trustIssuer: Type.Optional(
      Type.Boolean({
        description: 'Whether `ca.crt` is the authority that issued it, for peers of the same one. Default false.',
      }),
    ),
    poll: Type.Optional(
      Interval('How often to ask whether it has been revoked.', { default: defaults.revocationPoll }),
    ),
  },
  { ...closed, description: 'A certificate that Vault or OpenBao signs, for a key that is made here.' },
);

export const Consul = Type.Object(
  {
    ...server,
    prefix: Type.String({
      pattern: '^[^/\\s]+(/[^/\\s]+)*$',
      form: 'parts with / between, and none before or after',
      maxLength: 1024,
      description: 'What is under it, with a `/` between, is one set.',
    }),
    tokenFile: Type.Optional(File('A file with an ACL token; read again for each question.')),
    datacenter: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]+$',
        form: 'letters, digits, - and _',
        maxLength: 64,
        description: 'The datacenter to read from. That of the agent, unless it is given.',
      }),
    ),
    connections: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        default: defaults.consulConnections,
        description:
          'How many questions may wait for changes at the agent at once; credentials beyond that take turns, each within ten seconds. Keep it below `limits.http_max_conns_per_client` of the agent.',
      }),
    ),
    keys: Type.Optional(Keys('Material name → key under the prefix that holds it.')),
  },
  closed,
);

export const Etcd = Type.Object(
  {
    ...server,
    prefix: Type.String({
      pattern: '^/?[^/\\s]+(/[^/\\s]+)*$',
      form: 'parts with / between, and none after',
      maxLength: 1024,
      description: 'What is under it, with a `/` between, is one set.',
    }),
    user: Type.Optional(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 256, description: 'The user to log in as.' }),
          passwordFile: File('A file with the password; read again for each log-in.'),
        },
        closed,
      ),
    ),
    keys: Type.Optional(Keys('Material name → key under the prefix that holds it.')),
  },
  closed,
);

export type ServerConfig = Pick<Static<typeof Vault>, 'address' | 'insecure' | 'tls'>;
