// Names of the material to key pairs: the pair that stands for every server, and those that server names choose.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { readCertificates, readPrivateKey } from '../../crypto/containers.ts';
import { type OcspResponse, readOcspResponse } from '../../crypto/ocsp-response.ts';
import { readRevocationLists, type RevocationList } from '../../crypto/revocation.ts';
import { isBlank } from '../../blank.ts';
import { type PaycertError, violation } from '../../errors.ts';
import type { KeySet } from '../provider.ts';
import { materialReader } from '../shared/material.ts';

/** As `kubernetes.io/tls` and cert-manager name it: tls.crt, tls.key. */
export const defaultPair = 'tls';

export interface Pair {
  readonly name: string;
  readonly privateKey: KeyObject;
  /** The leaf first. */
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
  /** From NAME.ca.crt, else from ca.crt, else none. */
  readonly authorities: readonly X509Certificate[];
}

export const certificateName = (pair: string): string => `${pair}.crt`;
export const keyName = (pair: string): string => `${pair}.key`;

/** The pairs named, and the default one where it is there, or where it is the only one. In the order of their names, the default first. */
export function readPairs(
  data: ReadonlyMap<string, Uint8Array>,
  named: ReadonlySet<string>,
): {
  readonly pairs: readonly Pair[];
  readonly lists: readonly RevocationList[];
  readonly answers: readonly OcspResponse[];
  /** Parts for authorities: cert-manager writes an empty `ca.crt` where its issuer names none. */
  readonly trust: Required<KeySet>['trust'];
  readonly problems: readonly PaycertError[];
} {
  const { part, required, problems } = materialReader(data);
  const isDefaultThere = data.has(certificateName(defaultPair)) || data.has(keyName(defaultPair));
  const others = [...named].filter((name) => name !== defaultPair).sort();
  const names = isDefaultThere || others.length === 0 || named.has(defaultPair) ? [defaultPair, ...others] : others;
  const authorityNames = ['ca.crt', ...names.map((name) => `${name}.ca.crt`)];
  const there = authorityNames.flatMap((name) => ({ name, bytes: data.get(name) }));
  const empty = there.flatMap(({ name, bytes }) => (bytes !== undefined && isBlank(bytes) ? [name] : []));
  const filled = there.flatMap(({ name, bytes }) => (bytes !== undefined && !isBlank(bytes) ? [name] : []));
  const authoritiesIn = (name: string) => (empty.includes(name) ? undefined : part(name, readCertificates));
  const shared = authoritiesIn('ca.crt') ?? [];
  const lists = [...data.keys()]
    .filter(isListName)
    .sort()
    .flatMap((name) => part(name, readRevocationLists) ?? []);
  const answers = [...data.keys()]
    .filter(isResponseName)
    .flatMap((name) => part(name, (bytes) => readOcspResponse(bytes)) ?? []);
  const pairs = names.flatMap((name) => {
    const unissued = notIssued(data, name);
    if (unissued.length > 0) {
      problems.push(...unissued);
      return [];
    }
    const privateKey = required(keyName(name), readPrivateKey);
    const certificates = required(certificateName(name), readCertificates);
    const authorities = authoritiesIn(`${name}.ca.crt`) ?? shared;
    return privateKey && certificates ? [{ name, privateKey, certificates, authorities }] : [];
  });
  return { pairs, lists, answers, trust: { filled, empty }, problems };
}

/** `kubernetes.io/tls` must have both parts, so what waits for its certificate has an empty one. */
function notIssued(data: ReadonlyMap<string, Uint8Array>, pair: string): readonly PaycertError[] {
  const name = certificateName(pair);
  const [certificate, key] = [data.get(name), data.get(keyName(pair))];
  return certificate !== undefined && key !== undefined && isBlank(certificate)
    ? violation('certificate-not-issued', name, 'is empty: the certificate has not been issued yet')
    : [];
}

const isListName = (name: string): boolean => /^ca\.crl(?:\.\d+)?$/.test(name);

/** Beside those that the material brings: they count alike. */
export const listName = (index: number): string => `ca.crl.${String(index)}`;

/** Under a name that neither a file nor a key of a Secret can have: asked for, and never supplied. */
export const responseName = (index: number): string => `ocsp/${String(index)}`;

const isResponseName = (name: string): boolean => name.startsWith('ocsp/');
