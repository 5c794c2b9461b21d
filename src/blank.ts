// Whether a file says anything: one that nobody has filled yet, and one whose writer was interrupted, do not.

/** White space of any kind, a byte order mark among it, and line ends as they are escaped where text is pasted. */
const blank = /^(?:\s|\\[nr])*$/;

/** In bytes. Nobody writes more blanks before something: what follows them is not looked at, which would hold the event loop. */
const most = 64 * 1024;

/**
 * Of the bytes of a file, as text in UTF-8; what is no text is filled.
 * @example
 * isBlank(Buffer.from(' \n')); // true
 */
export const isBlank = (bytes: Uint8Array): boolean =>
  // As a part of a stream: a character that is cut off at the end is left out.
  blank.test(new TextDecoder().decode(bytes.subarray(0, most), { stream: bytes.byteLength > most }));
