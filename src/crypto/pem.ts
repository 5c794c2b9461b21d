// PEM, DER or bare base64: the blocks of a file as DER. What is cut off, encrypted or of a foreign form is refused by name.
import { isBlank } from '../blank.ts';
import { PaycertError } from '../errors.ts';
import { foreignForm, isDer } from './foreign-forms.ts';
import { readText } from './text.ts';

export interface Block {
  /** What the armour says, such as `RSA PRIVATE KEY`; absent for DER and bare base64. */
  readonly label?: string;
  readonly der: Buffer;
}

function decodeBase64(text: string, field: string): Buffer {
  const packed = text.replace(/\s+/g, '');
  // Buffer.from never throws: it would turn a pasted sentence into some bytes.
  if (packed === '' || packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) {
    throw new PaycertError('pem-malformed', `${field} is not valid base64: cut off, or pasted with other text`, {
      field,
    });
  }
  return Buffer.from(packed, 'base64');
}

function* readArmour(text: string, field: string): Generator<Block> {
  let at = text.indexOf('-----BEGIN ');
  while (at !== -1) {
    const labelEnd = text.indexOf('-----', at + 11);
    const label = labelEnd === -1 ? '' : text.slice(at + 11, labelEnd);
    const end = label === '' ? -1 : text.indexOf(`-----END ${label}-----`, labelEnd);
    if (end === -1) {
      throw new PaycertError('pem-malformed', `${field} has a BEGIN line without its END line: the file is cut off`, {
        field,
      });
    }
    const body = text.slice(labelEnd + 5, end);
    if (body.includes('Proc-Type:') || label === 'ENCRYPTED PRIVATE KEY') {
      throw new PaycertError('private-key-encrypted', `${field} is protected by a passphrase`, { field });
    }
    yield { label, der: decodeBase64(body, field) };
    at = text.indexOf('-----BEGIN ', end);
  }
}

/** @throws PaycertError a material error that names the field */
export function readBlocks(bytes: Uint8Array, field: string): Block[] {
  if (isBlank(bytes)) throw new PaycertError('part-empty', `${field} is empty`, { field });
  const foreign = foreignForm(bytes);
  if (foreign !== undefined) throw new PaycertError('format-foreign', `${field} ${foreign}`, { field });
  if (isDer(bytes)) return [{ der: Buffer.from(bytes) }];
  const text = readText(bytes);
  return text.includes('-----BEGIN ') ? [...readArmour(text, field)] : [{ der: decodeBase64(text, field) }];
}

/** The DER of every block with that label; of DER or bare base64, the one. What is DER is not copied: a revocation list may have 16 MB. */
export function readDerBlocks(bytes: Uint8Array, field: string, label: string): readonly Buffer[] {
  if (isDer(bytes) && foreignForm(bytes) === undefined)
    return [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)];
  return readBlocks(bytes, field)
    .filter((block) => block.label === undefined || block.label === label)
    .map(({ der }) => der);
}
