// The serial numbers of a revocation list, found without making an object of each entry: lists of half a million are real.
import { Turns } from '../turns.ts';
import { DerError, derTag, readDer, readInside } from './der.ts';
import { trimInteger } from './integer.ts';
import { assertKnown } from './list-extensions.ts';

export interface ListedSerials {
  readonly has: (serialNumber: Buffer) => boolean;
  readonly size: number;
}

/** YYMMDDHHMMSSZ. */
const shortestTime = 13;

/** Octets that an entry has at least: its header, a number, a time. */
const shortestEntry = 2 + 3 + 2 + shortestTime;

/** Places that are looked at for one number. Of half a million real ones it is a few dozen; more were made to be slow. */
const maxProbes = 512;

/**
 * `entries`: the contents of revokedCertificates (RFC 5280 §5.1.2.6), signed by a trusted issuer. In turns.
 * @throws DerError for what is not a list of entries, and for a critical extension, which would change what an entry means
 */
export async function readListedSerials(entries: Buffer, turns = new Turns()): Promise<ListedSerials> {
  const table = new SerialTable(entries, Math.ceil(entries.length / shortestEntry));
  let size = 0;
  for (let at = 0; at < entries.length; size += 1) {
    const entry = readHeader(entries, at, derTag.sequence);
    const serial = readHeader(entries, entry.start, derTag.integer);
    const time = readHeader(
      entries,
      serial.end,
      entries[serial.end] === derTag.utcTime ? derTag.utcTime : derTag.generalizedTime,
    );
    if (time.end > entry.end || serial.end === serial.start || time.end - time.start < shortestTime)
      throw new DerError('an entry is not whole');
    if (mayBeCritical(entries, time.end, entry.end)) assertEntry(entries.subarray(entry.start, entry.end));
    at = entry.end;
    const pause = turns.step(table.add(serial.start, serial.end));
    if (pause) await pause;
  }
  return { has: (serialNumber) => table.has(trimInteger(serialNumber)), size };
}

function readHeader(bytes: Buffer, at: number, tag: number): { start: number; end: number } {
  const first = bytes[at + 1] ?? 0x80;
  const octets = first < 0x80 ? 0 : first & 0x7f;
  if (bytes[at] !== tag || first === 0x80 || octets > 4) throw new DerError('an entry is not what it must be');
  const start = at + 2 + octets;
  if (start > bytes.length) throw new DerError('an entry is cut off');
  const end = start + (octets === 0 ? first : bytes.readUIntBE(at + 2, octets));
  if (end > bytes.length) throw new DerError('an entry does not end');
  return { start, end };
}

/** A BOOLEAN that is true has two octets 1 and another than 0, or a length that is no DER: most entries can be passed over. */
function mayBeCritical(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at + 2 < to; at++) {
    const length = bytes[at] === 1 ? (bytes[at + 1] ?? 0) : 0;
    if (length > 0x80 || (length === 1 && bytes[at + 2] !== 0)) return true;
  }
  return false;
}

function assertEntry(content: Buffer): void {
  const [, , extensions] = readDer(content);
  if (extensions !== undefined) assertKnown(readInside(extensions));
}

/** Where each serial number is, by a hash of its octets: open addressing in one array, so that a lookup is a few comparisons. */
class SerialTable {
  readonly #bytes: Buffer;
  /** Start and end of each, by twos; 0 and 0 for a free place: no serial number starts there. */
  readonly #places: Uint32Array;
  readonly #mask: number;

  constructor(bytes: Buffer, capacity: number) {
    this.#bytes = bytes;
    const places = 2 ** Math.ceil(Math.log2(Math.max(2 * capacity, 2)));
    this.#places = new Uint32Array(2 * places);
    this.#mask = places - 1;
  }

  /** How many places were looked at. @throws DerError */
  add(start: number, end: number): number {
    // The table holds trimmed numbers: of two encodings of one number there is one.
    const trimmed = end - trimInteger(this.#bytes.subarray(start, end)).length;
    const first = hashOf(this.#bytes, trimmed, end) & this.#mask;
    for (let probes = 1; probes <= maxProbes; probes += 1) {
      const place = (first + probes - 1) & this.#mask;
      if (this.#places[2 * place + 1] !== 0 && !this.#isAt(place, this.#bytes, trimmed, end)) continue;
      this.#places[2 * place] = trimmed;
      this.#places[2 * place + 1] = end;
      return probes;
    }
    throw new DerError('serial numbers that were chosen to be slow');
  }

  has(serialNumber: Buffer): boolean {
    let place = hashOf(serialNumber, 0, serialNumber.length) & this.#mask;
    while (this.#places[2 * place + 1] !== 0) {
      if (this.#isAt(place, serialNumber, 0, serialNumber.length)) return true;
      place = (place + 1) & this.#mask;
    }
    return false;
  }

  #isAt(place: number, bytes: Buffer, start: number, end: number): boolean {
    const [ownStart = 0, ownEnd = 0] = this.#places.subarray(2 * place, 2 * place + 2);
    return ownEnd - ownStart === end - start && this.#bytes.compare(bytes, start, end, ownStart, ownEnd) === 0;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
