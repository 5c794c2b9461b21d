// Whether a file says anything: one that nobody has filled yet, and one whose writer was interrupted, do not.

/** White space of any kind, a byte order mark among it, and line ends as they are escaped where text is pasted. */
const blank = /^(?:\s|\\[nr])*$/;

/** Most files show within these that they are filled, however large they are. */
const enough = 64;

/**
 * Of the bytes of a file, as text in UTF-8; what is no text is filled.
 * @example
 * isBlank(Buffer.from(' \n')); // true
 */
export const isBlank = (bytes: Uint8Array): boolean => isBlankText(bytes.subarray(0, enough)) && isBlankText(bytes);

const isBlankText = ({ buffer, byteOffset, byteLength }: Uint8Array): boolean =>
  blank.test(Buffer.from(buffer, byteOffset, byteLength).toString());
