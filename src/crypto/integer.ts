// INTEGER of DER, compared as numbers: serial numbers may be negative, and come with octets that they need not have.

/** Without octets that only repeat the sign (X.690 §8.3.2): equal for equal numbers, and for no others. */
export function trimInteger(content: Buffer): Buffer {
  let start = 0;
  const isSign = (octet: number, next: number) => (octet === 0 && next < 0x80) || (octet === 0xff && next >= 0x80);
  while (start + 1 < content.length && isSign(content[start] ?? 0, content[start + 1] ?? 0)) start += 1;
  return content.subarray(start);
}

/** The contents of an INTEGER with the number that Node prints as hex, with a minus where it is negative. */
export function integerOf(hex: string): Buffer {
  const isNegative = hex.startsWith('-');
  const digits = isNegative ? hex.slice(1) : hex;
  const magnitude = BigInt(`0x${digits === '' ? '0' : digits}`);
  const octets = Math.floor(digits.length / 2) + 2;
  const value = isNegative ? (1n << BigInt(8 * octets)) - magnitude : magnitude;
  return trimInteger(
    Buffer.from(
      value
        .toString(16)
        .padStart(2 * octets, '0')
        .slice(-2 * octets),
      'hex',
    ),
  );
}
