// The encrypted envelopes of WeChat Pay APIv3: AEAD_AES_256_GCM resources, notifications, the certificate list.
import type { KeyObject } from 'node:crypto';
import { openAesGcm } from '../../crypto/cipher.ts';
import { PaycertError } from '../../errors.ts';

export interface Resource {
  readonly algorithm: string;
  readonly ciphertext: string;
  readonly nonce: string;
  readonly associatedData: string;
}

export const aeadAlgorithm = 'AEAD_AES_256_GCM';

/** The plaintext, or nothing where this key does not open it. */
export function openResource(
  key: KeyObject,
  { ciphertext, nonce, associatedData }: Omit<Resource, 'algorithm'>,
): Buffer | undefined {
  return openAesGcm(key, Buffer.from(nonce), Buffer.from(associatedData), Buffer.from(ciphertext, 'base64'));
}

export type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined for what is no JSON object. */
export function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `associated_data` may be empty or missing; the rest must be text. */
export function readResource(value: unknown): Resource | undefined {
  if (!isObject(value)) return undefined;
  const { algorithm, ciphertext, nonce, associated_data: associatedData = '' } = value;
  const members = [algorithm, ciphertext, nonce, associatedData];
  if (!members.every((member) => typeof member === 'string')) return undefined;
  return { algorithm, ciphertext, nonce, associatedData } as Resource;
}

export interface Envelope {
  readonly id: string;
  readonly eventType: string;
  readonly resource: Resource;
}

/** @throws PaycertError `notification-malformed` */
export function readEnvelope(body: Uint8Array): Envelope {
  const json = parseObject(Buffer.from(body).toString());
  const resource = readResource(json?.['resource']);
  const { id, event_type: eventType } = json ?? {};
  if (resource === undefined || typeof id !== 'string' || typeof eventType !== 'string') {
    throw new PaycertError(
      'notification-malformed',
      'the body is no notification: id, event_type or resource is missing',
      {
        field: 'body',
      },
    );
  }
  return { id, eventType, resource };
}

/**
 * The certificates of a response of GET /v3/certificates, in PEM, each opened with the APIv3 key.
 * Nothing where the response is not such a list, is empty, or one entry does not open.
 */
export function openCertificates(answer: string, key: KeyObject): readonly string[] | undefined {
  const sealed = sealedCertificates(answer);
  if (sealed.length === 0) return undefined;
  const certificates: string[] = [];
  for (const resource of sealed) {
    const plaintext = resource && openResource(key, resource);
    if (plaintext === undefined) return undefined;
    certificates.push(plaintext.toString());
  }
  return certificates;
}

/** What such a response holds, still encrypted; undefined if it is empty or not an envelope, as before a merchant has any. */
export function sealedCertificates(answer: string): readonly (Resource | undefined)[] {
  const data = parseObject(answer)?.['data'];
  return Array.isArray(data)
    ? data.map((entry: unknown) => (isObject(entry) ? readResource(entry['encrypt_certificate']) : undefined))
    : [];
}
