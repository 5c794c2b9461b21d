// Forms of files that are no PEM and no DER, by how they show themselves: what happened, and the command that converts them.
import { readText } from './text.ts';

/** A SEQUENCE in the long form of its length, or in the short form (elliptic curve keys) with exactly that length. */
export const isDer = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x30 && ((bytes[1] ?? 0) >= 0x80 || bytes[1] === bytes.byteLength - 2);

/** Text that is base64 of text or DER; undefined where it is not. */
function decodeOnce(text: string): Buffer | undefined {
  const packed = text.replace(/\s+/g, '');
  return /^[A-Za-z0-9+/]{16,}={0,2}$/.test(packed) && packed.length % 4 === 0
    ? Buffer.from(packed, 'base64')
    : undefined;
}

/** In base64 it begins as it would in base64 once more. */
const isEncodedTwice = (text: string): boolean => {
  const inner = decodeOnce(text)?.toString('latin1');
  if (inner === undefined) return false;
  return /^\s*-----BEGIN /.test(inner) || isDer(decodeOnce(inner) ?? Buffer.alloc(0));
};

const beginsWith = (bytes: Uint8Array, ...head: readonly number[]): boolean =>
  head.every((byte, index) => bytes[index] === byte);

/** Whether every second byte of the beginning is zero, from the given one on, and no other: ASCII in UTF-16. */
function hasZeros(bytes: Uint8Array, from: 0 | 1): boolean {
  const start = bytes.subarray(0, 16);
  return bytes.byteLength >= 8 && start.every((byte, index) => (byte === 0) === (index % 2 === from));
}

/** The byte order of UTF-16: as its mark says; without one, where the zeros are. A random key has no such zeros. */
function utf16(bytes: Uint8Array): 'UTF-16' | 'UTF-16LE' | 'UTF-16BE' | undefined {
  const isMarked = beginsWith(bytes, 0xff, 0xfe) || beginsWith(bytes, 0xfe, 0xff);
  const text = isMarked ? bytes.subarray(2) : bytes;
  const isLittle = hasZeros(text, 1);
  if (!isLittle && !hasZeros(text, 0)) return undefined;
  return isMarked ? 'UTF-16' : isLittle ? 'UTF-16LE' : 'UTF-16BE';
}

/** What is said of any text, a key or a secret, that an editor has saved in UTF-16; undefined for other bytes. */
export function saidOfUtf16(bytes: Uint8Array): string | undefined {
  const charset = utf16(bytes);
  const unmarked = charset === 'UTF-16' ? '' : ' without a byte order mark';
  return charset && `is text in UTF-16${unmarked}: convert it with iconv -f ${charset} -t UTF-8 FILE`;
}

/** PFX ::= SEQUENCE { INTEGER 3, SEQUENCE … (RFC 7292 §4). A key's version is 0 or 1, and a certificate has none there. */
const isPkcs12 = (bytes: Uint8Array): boolean =>
  /^30(?:80|81..|82.{4}|83.{6})02010330/.test(Buffer.from(bytes.subarray(0, 12)).toString('hex'));

/** Looks at what stands before BEGIN on its line alone: a pattern over the whole text could take for ever on blank lines. */
function hasOddDashes(text: string): boolean {
  const at = text.search(/BEGIN [A-Z]/);
  if (at === -1) return false;
  const line = text.slice(Math.max(text.lastIndexOf('\n', at) + 1, at - 64), at).trim();
  return /^-*[‐-―−－][‐-―−－-]*$/.test(line) || (/^-+$/.test(line) && line.length !== 5);
}

/** The heads of other archives and compressions: RAR, 7z, xz, bzip2, Zstandard. */
const packed = ['526172211a07', '377abcaf271c', 'fd377a585a00', '425a68', '28b52ffd'].map((head) =>
  Buffer.from(head, 'hex'),
);

/** Local file header (APPNOTE 4.3.7). */
export const isZip = (bytes: Uint8Array): boolean => beginsWith(bytes, 0x50, 0x4b, 3, 4);

type Row = readonly [isIt: (bytes: Uint8Array, text: string) => boolean, what: string];

const binary: readonly Row[] = [
  [
    (bytes) => Buffer.from(bytes.subarray(0, 10)).toString('latin1') === '\0GITCRYPT\0',
    'is encrypted with git-crypt: git-crypt unlock',
  ],
  [
    (bytes) => packed.some((head) => beginsWith(bytes, ...head)),
    'is a packed archive: unpack it, and use the files in it',
  ],
  [(bytes) => beginsWith(bytes, 0x25, 0x50, 0x44, 0x46), 'is a PDF, and not the file that it is about'],
  [isZip, 'is a zip archive: unpack it, and use the files in it'],
  [(bytes) => beginsWith(bytes, 0x1f, 0x8b), 'is compressed with gzip: unpack it with gunzip'],
  [isPkcs12, 'is a PKCS#12 container: take key and certificate out of it with openssl pkcs12 -in FILE -nodes'],
  [
    (bytes) => beginsWith(bytes, 0xfe, 0xed, 0xfe, 0xed),
    'is a Java keystore: convert it with keytool -importkeystore -deststoretype PKCS12, then openssl pkcs12 -nodes',
  ],
];

/** Files that are kept encrypted, or elsewhere, and how their tool gives them back. */
const kept: readonly Row[] = [
  [(_, text) => text.startsWith('$ANSIBLE_VAULT;'), 'is encrypted with Ansible Vault: ansible-vault decrypt FILE'],
  [(_, text) => /^ENC\[AES256_GCM,|^\{[^]*"sops"\s*:/.test(text), 'is encrypted with SOPS: sops decrypt FILE'],
  [(_, text) => /^age-encryption\.org\/|-----BEGIN AGE ENCRYPTED/.test(text), 'is encrypted with age: age -d FILE'],
  [(_, text) => /^version https:\/\/git-lfs\./.test(text), 'is a pointer of Git LFS, and not the file: git lfs pull'],
];

/** What stands in the place of a file: no DER, and no base64 of it, looks like this. */
const instead: readonly Row[] = [
  [
    (_, text) => /^\s*(?:\{\{[^{}]*\}\}|\$\{[^{}]*\}|<(?:no value|nil|null)>|null|undefined)\s*$/.test(text),
    'is a placeholder: the value has not been put in its place',
  ],
  [
    (_, text) => /^\s*(?:[A-Za-z]:\\|\.{0,2}\/|file:)[^\s]{1,200}\.(?:pem|key|crt|cer|der|txt|p12|pfx)\s*$/i.test(text),
    'is the path of a file: put in what that file holds',
  ],
  [(_, text) => /^\s*[a-z][a-z+]{1,9}:\/\/[^\s]{1,500}\s*$/.test(text), 'is an address: put in what it leads to'],
  [
    (_, text) =>
      /^(?:cat|error|bash|sh|openssl|aws|kubectl|vault|permission denied)\b[^\n]{0,200}(?::|denied)/i.test(text),
    'is the message of a command that failed: run it again, and look at what it says',
  ],
  [
    (_, text) => /^apiVersion:\s*\S/m.test(text) && /^kind:\s*\S/m.test(text),
    'is an object of Kubernetes: put in the value of its data, decoded with base64 -d',
  ],
  [
    (_, text) =>
      /^\s*(?:Certificate:|(?:RSA |Public-|Private-)?(?:Private-|Public-)?Key:)/.test(text) &&
      !text.includes('-----BEGIN '),
    'is what openssl prints with -text: put in the PEM block, which -noout leaves out',
  ],
];

const textual: readonly Row[] = [
  ...kept,
  ...instead,
  [
    (_, text) => /-----BEGIN (?:PKCS7|CMS)-----/.test(text),
    'is a PKCS#7 container: take its certificates out with openssl pkcs7 -in FILE -print_certs',
  ],
  [(_, text) => text.includes('<RSAKeyValue>'), 'is a key in XML of .NET: convert it with ExportPkcs8PrivateKeyPem()'],
  [
    (_, text) => text.includes('-----BEGIN OPENSSH PRIVATE KEY-----'),
    'is a key in OpenSSH’s format: convert a copy with ssh-keygen -p -m PEM -f FILE',
  ],
  [
    (_, text) => /^(?:ssh-|ecdsa-)[a-z0-9-]+ AAAA/.test(text) || text.includes('---- BEGIN SSH2 PUBLIC KEY ----'),
    'is a public key in OpenSSH’s format: convert it with ssh-keygen -e -m PKCS8 -f FILE',
  ],
  [
    (_, text) => text.startsWith('PuTTY-User-Key-File-'),
    'is a key in PuTTY’s format: convert it with puttygen FILE -O private-openssh, then ssh-keygen -p -m PEM',
  ],
  [
    (_, text) =>
      text.includes('-----BEGIN CERTIFICATE REQUEST-----') || text.includes('-----BEGIN NEW CERTIFICATE REQUEST-----'),
    'is a request for a certificate (CSR): use the certificate that was issued for it',
  ],
  [(_, text) => text.includes('-----BEGIN PGP '), 'is a key or message of PGP, which no payment platform uses'],
  [
    (_, text) => /^\s*<(?:!doctype html|html)/i.test(text),
    'is a web page: what was downloaded is a page, such as that of a log-in, and not the file',
  ],
  [
    (_, text) => /^\s*\{[^]*"kty"\s*:/.test(text),
    'is a key in JSON (JWK): convert it to PEM, as PKCS#8, with the program that made it',
  ],
  [(_, text) => /^\s*\{\s*"/.test(text), 'is JSON: write the PEM alone, as the file has it'],
  [
    (_, text) => hasOddDashes(text),
    'has other dashes around BEGIN than it should: an editor has changed them; write five hyphens (-----)',
  ],
  [
    (_, text) => /^(?:30\s*8[1-3])[\s0-9A-Fa-f]{64,}$/.test(text),
    'is DER in hexadecimal: convert it with xxd -r -p FILE',
  ],
  [(_, text) => isEncodedTwice(text), 'is base64-encoded twice: decode it once with base64 -d'],
];

/** What is said after the name of the part; undefined for what looks like PEM, DER or base64. */
export function foreignForm(bytes: Uint8Array): string | undefined {
  const found = binary.find(([isIt]) => isIt(bytes, ''))?.[1] ?? saidOfUtf16(bytes);
  if (found !== undefined || isDer(bytes)) return found;
  const text = readText(bytes);
  return textual.find(([isIt]) => isIt(bytes, text))?.[1];
}
