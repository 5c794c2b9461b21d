// Takes what somebody answered at an admin port: bounded bytes that are what a sidecar says, or the word for why not.
import { type Sighting, SightingSchema } from '../../store/sighting.ts';
import { compile } from '../../validation.ts';

/** Some thousand credentials. Parsing so much, however deep, takes a few milliseconds. */
export const maxSightingBytes = 256 * 1024;

/** Why a Pod is unknown, in a few words that hold nothing of what it answered. */
export class Unseen extends Error {
  override readonly name = 'Unseen';
}

let check: ReturnType<typeof compile> | undefined;

/** @throws Unseen */
export function readSighting(bytes: Uint8Array): Sighting {
  check ??= compile(SightingSchema);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    throw new Unseen('what answers is no sidecar');
  }
  if (!check(value)) throw new Unseen('what answers is no sidecar');
  return value as Sighting;
}
