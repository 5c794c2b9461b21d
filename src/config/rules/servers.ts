// What no schema can say of servers that keys come from: nothing secret goes to them in the clear.
import { isLoopback } from '../../address.ts';
import type { KeyServicesConfig } from '../schema/key-services.ts';
import type { ServerConfig } from '../schema/origins.ts';
import type { SourceConfig } from '../schema/source.ts';
import type { Sound } from '../sound.ts';
import type { Path } from '../yaml.ts';
import type { Fault } from './fault.ts';

/** The addresses of a server, and whether they may be in the clear. */
type Addressed = Partial<Pick<ServerConfig, 'address' | 'insecure'>>;

/** Tokens and keys go to servers over TLS, unless somebody says that they need not. */
export function* privacyFaults(source: Sound<SourceConfig> | undefined, at: Path): Generator<Fault> {
  const { merge = [], fallback = [], staged, unwrap, vault, consul, etcd, pki } = source ?? {};
  if (staged !== undefined)
    for (const which of ['current', 'next'] as const) yield* privacyFaults(staged[which], [...at, 'staged', which]);
  for (const [index, one] of merge.entries()) yield* privacyFaults(one, [...at, 'merge', index]);
  for (const [index, one] of fallback.entries()) yield* privacyFaults(one, [...at, 'fallback', index]);
  yield* unwrap === undefined ? [] : privacyFaults(unwrap.source, [...at, 'unwrap', 'source']);
  for (const [kind, server] of Object.entries({ vault, consul, etcd, pki }))
    yield* addressFaults(server, [...at, kind]);
}

export function* keyServiceFaults(services: Sound<KeyServicesConfig>): Generator<Fault> {
  const { hashivault, awskms, aliyunkms, pkcs11 } = services;
  for (const [name, service] of Object.entries({ hashivault, awskms, aliyunkms }))
    yield* addressFaults(service, ['keyServices', name]);
  const labels = (pkcs11?.tokens ?? []).map((token) => token?.label);
  for (const [index, label] of labels.entries())
    if (label !== undefined && labels.indexOf(label) < index)
      yield { path: ['keyServices', 'pkcs11', 'tokens', index, 'label'], message: 'is the label of an earlier token' };
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
