// Bytes as Node's Buffer, without a copy: a view costs as much as what is done with it, so what is one already is taken as it is.

/** The same bytes. `bufferOf(new Uint8Array([1, 2])).toString('hex')` is `0102`. */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
