// What no schema can say of servers that keys come from: nothing secret goes to them in the clear, and what is read there is named in full.
import { isLoopback } from '../../address.ts';
import type { KeyServicesConfig } from '../schema/key-services.ts';
import type { ServerConfig } from '../schema/origins.ts';
import type { SourceConfig } from '../schema/source.ts';
import type { Sound } from '../sound.ts';
import type { Path } from '../yaml.ts';
import type { Fault } from './fault.ts';

type ServerAuth = NonNullable<SourceConfig['vault']>['auth'];

/** The addresses of a server, and whether they may be in the clear. */
type Addressed = Partial<Pick<ServerConfig, 'address' | 'insecure'>>;

/** Of a source and of those in it: tokens and keys go over TLS, unless somebody says that they need not. */
export function* serverFaults(source: Sound<SourceConfig> | undefined, at: Path): Generator<Fault> {
  const { merge = [], fallback = [], staged, unwrap, vault, consul, etcd, pki } = source ?? {};
  if (staged !== undefined)
    for (const which of ['current', 'next'] as const) yield* serverFaults(staged[which], [...at, 'staged', which]);
  for (const [index, one] of merge.entries()) yield* serverFaults(one, [...at, 'merge', index]);
  for (const [index, one] of fallback.entries()) yield* serverFaults(one, [...at, 'fallback', index]);
  yield* unwrap === undefined ? [] : serverFaults(unwrap.source, [...at, 'unwrap', 'source']);
  for (const [kind, server] of Object.entries({ vault, consul, etcd, pki }))
    yield* addressFaults(server, [...at, kind]);
  for (const [kind, place] of Object.entries({ vault, consul, pki })) yield* placeFaults(place, [...at, kind]);
  if (vault?.version !== undefined && vault.engine === 1)
    yield {
      path: [...at, 'vault', 'version'],
      message: 'pins a version, and engine 1 keeps none; remove it, or use engine: 2 where the mount is one',
    };
}

export function* keyServiceFaults(services: Sound<KeyServicesConfig>): Generator<Fault> {
  const { hashivault, awskms, aliyunkms, pkcs11 } = services;
  for (const [name, service] of Object.entries({ hashivault, awskms, aliyunkms }))
    yield* addressFaults(service, ['keyServices', name]);
  yield* placeFaults(hashivault, ['keyServices', 'hashivault']);
  const labels = (pkcs11?.tokens ?? []).map((token) => token?.label);
  for (const [index, label] of labels.entries())
    if (label !== undefined && labels.indexOf(label) < index)
      yield { path: ['keyServices', 'pkcs11', 'tokens', index, 'label'], message: 'is the label of an earlier token' };
}

/** Where something is at a server, by the member that says so. */
interface Placed {
  readonly mount?: string;
  readonly path?: string;
  readonly prefix?: string;
  readonly auth?: Sound<ServerAuth>;
}

/** A server makes another path of one with such parts, or redirects to it. */
function* placeFaults(place: Sound<Placed> | undefined, at: Path): Generator<Fault> {
  const { mount, path, prefix, auth } = place ?? {};
  const places = Object.entries({ mount, path, prefix }).map(([member, text]) => ({ path: [...at, member], text }));
  const mounts = Object.entries(auth ?? {}).map(([method, login]) => ({
    path: [...at, 'auth', method, 'mount'],
    text: login !== undefined && 'mount' in login ? login.mount : undefined,
  }));
  for (const { path: member, text = '' } of [...places, ...mounts])
    if (text.split('/').some((part) => part === '.' || part === '..'))
      yield { path: member, message: 'has a part . or .., which names nothing; write the whole path' };
}

function* addressFaults(server: Sound<Addressed> | undefined, path: Path): Generator<Fault> {
  for (const [index, address] of [server?.address ?? []].flat().entries()) {
    if (address === undefined) continue;
    const member: Path = [...path, 'address', ...(typeof server?.address === 'string' ? [] : [index])];
    const url = URL.parse(address);
    const isExposed = url?.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
    if (url === null) yield { path: member, message: 'is not an address' };
    else if (isExposed && server?.insecure !== true)
      yield {
        path: member,
        message: 'is http:// on another host; use https://, or say insecure: true',
        absent: [[...path, 'insecure']],
      };
  }
}
