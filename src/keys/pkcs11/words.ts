// What a sidecar and the process of its PKCS#11 module say to each other: one line of JSON each way. No PIN and no key is among it.
import type { Unopened } from '../open-elsewhere.ts';

/** The key of a reference, and where it is. */
export interface Place {
  readonly token: string;
  readonly object?: string;
  /** In hex. */
  readonly id?: string;
}

export interface Start {
  readonly ask: 'start';
  /** The path of the module. */
  readonly module: string;
  readonly tokens: readonly { readonly label: string; readonly pinFile: string }[];
  /** Random, in hex: under it a PIN that was refused is remembered, so that it is known again and cannot be guessed. */
  readonly salt: string;
  /** By the label of its token. */
  readonly refusedPins: Readonly<Record<string, string>>;
}

export interface ReadKey {
  readonly ask: 'key';
  readonly place: Place;
}

export interface Use {
  readonly ask: 'use';
  readonly place: Place;
  /** `pkcs1v15`: what is signed is a DigestInfo; `pss`: a digest of SHA-256; `oaep`: a ciphertext is opened, with SHA-1. */
  readonly how: 'pkcs1v15' | 'pss' | 'oaep';
  readonly input: string;
}

export type Question = Start | ReadKey | Use;

/** The public half of a key, as the token has it, in base64. */
export type PublicHalf = { readonly modulus: string; readonly exponent: string } | { readonly certificate: string };

export interface Found {
  readonly publicHalf: PublicHalf;
  /** Whether the token lets it decrypt. */
  readonly opens: boolean;
}

/**
 * `package`: pkcs11js is missing or not built. `module`: it cannot be loaded. `pin`: the token does not take it, or may not be asked.
 * `missing`: there is no such key. `refused`: that key does not do it. `lost`: the token or its sessions have gone. `failed`: anything else.
 */
export type FaultKind = 'package' | 'module' | 'pin' | 'missing' | 'refused' | 'lost' | 'failed';

export interface Fault {
  readonly kind: FaultKind;
  readonly message: string;
  /** The PIN that was refused, under the salt. */
  readonly refusedPin?: { readonly token: string; readonly fingerprint: string };
}

export type Said = { readonly started: true } | { readonly found: Found } | { readonly output: string } | Unopened;

export type Reply = Said | { readonly fault: Fault };
