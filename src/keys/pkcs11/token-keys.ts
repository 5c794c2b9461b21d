// Private keys in a token, and their public halves: the object of the same id, or its certificate, or what the private one shows.
import { FaultError, returnValueOf } from './fault-error.ts';
import type { Handle, Module } from './module.ts';
import type { Found, Place, PublicHalf } from './words.ts';

export interface TokenKey extends Found {
  readonly handle: Handle;
}

type Template = { readonly type: number; readonly value: number | Buffer | string }[];

/** @throws FaultError of kind `missing` or `refused`, or what the module throws */
export function findKey(module: Module, session: Handle, place: Place, what: string): TokenKey {
  const { constants: c } = module;
  const named: Template = [
    ...(place.object === undefined ? [] : [{ type: c.CKA_LABEL, value: place.object }]),
    ...(place.id === undefined ? [] : [{ type: c.CKA_ID, value: Buffer.from(place.id, 'hex') }]),
  ];
  const [handle, second] = find(module, session, [{ type: c.CKA_CLASS, value: c.CKO_PRIVATE_KEY }, ...named]);
  if (handle === undefined) throw new FaultError('missing', `${what}: the token has no such private key`);
  if (second !== undefined) throw new FaultError('missing', `${what}: the token has several: name it by object and id`);
  const read = (type: number, of = handle) => readAttribute(module, session, of, type);
  const type = read(c.CKA_KEY_TYPE);
  if (type?.readUIntLE(0, Math.min(type.length, 6)) !== c.CKK_RSA)
    throw new FaultError('missing', `${what}: it is no RSA key`);
  if (read(c.CKA_ALWAYS_AUTHENTICATE)?.[0] === 1)
    throw new FaultError('refused', `${what}: the token wants its PIN for each use of it, which is not done here`);
  const id = read(c.CKA_ID);
  const beside: Template = id?.length ? [{ type: c.CKA_ID, value: id }] : named;
  const publicHalf = findPublicHalf(module, session, handle, beside);
  if (publicHalf === undefined) throw new FaultError('missing', `${what}: the token shows no public half of it`);
  return { handle, publicHalf, opens: read(c.CKA_DECRYPT)?.[0] === 1 };
}

function findPublicHalf(module: Module, session: Handle, key: Handle, beside: Template): PublicHalf | undefined {
  const { constants: c } = module;
  const numbersOf = (of: Handle | undefined) => {
    const modulus = of && readAttribute(module, session, of, c.CKA_MODULUS)?.toString('base64');
    const exponent = of && readAttribute(module, session, of, c.CKA_PUBLIC_EXPONENT)?.toString('base64');
    return modulus && exponent ? { modulus, exponent } : undefined;
  };
  const [publicKey] = find(module, session, [{ type: c.CKA_CLASS, value: c.CKO_PUBLIC_KEY }, ...beside]);
  const shown = numbersOf(publicKey);
  if (shown !== undefined) return shown;
  const [object] = find(module, session, [{ type: c.CKA_CLASS, value: c.CKO_CERTIFICATE }, ...beside]);
  const certificate = object && readAttribute(module, session, object, c.CKA_VALUE)?.toString('base64');
  return certificate ? { certificate } : numbersOf(key);
}

/** Two at most: more is as wrong as two. */
function find({ pkcs11 }: Module, session: Handle, template: Template): readonly Handle[] {
  pkcs11.C_FindObjectsInit(session, [...template]);
  try {
    return pkcs11.C_FindObjects(session, 2);
  } finally {
    pkcs11.C_FindObjectsFinal(session);
  }
}

/** Undefined where the token has none of that kind, or does not show it. */
function readAttribute({ pkcs11 }: Module, session: Handle, object: Handle, type: number): Buffer | undefined {
  try {
    const [attribute] = pkcs11.C_GetAttributeValue(session, object, [{ type }]);
    return Buffer.isBuffer(attribute?.value) ? attribute.value : undefined;
  } catch (error) {
    const value = returnValueOf(error);
    if (value === 'CKR_ATTRIBUTE_TYPE_INVALID' || value === 'CKR_ATTRIBUTE_SENSITIVE') return undefined;
    throw error;
  }
}
