// Bodies in pieces that are far too small: an HTTP chunk of one byte costs an object and some calls, and one packet has ten thousand of them.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Beyond those that are free, pieces must have so many bytes, on average. */
const bytesOfPiece = 64;

/** Of a server that we ask: it buffers what it writes. */
const freeOfResponses = 64;

/** Ends the connection of a message whose body is in more pieces than that. To be called before the first of them has come. */
export function boundPieces(message: IncomingMessage, free = freeOfResponses): void {
  // A length is known: the pieces are packets, and each has been waited for.
  if (message.headers['transfer-encoding'] === undefined) return;
  const push = message.push.bind(message);
  let [pieces, bytes] = [0, 0];
  message.push = (piece: Uint8Array | null, encoding?: BufferEncoding): boolean => {
    if (piece === null) return push(piece);
    pieces += 1;
    bytes += piece.byteLength;
    if (pieces <= free + bytes / bytesOfPiece) return push(piece, encoding);
    if (!message.destroyed) {
      message.destroy(Object.assign(new Error('the body is in too many pieces'), { code: 'BODY_IN_PIECES' }));
      hearNoMore(message.socket);
    }
    return false;
  };
}

/** What Node's connection has, and its documentation does not: a test says so when that changes. */
interface Parsed extends Socket {
  readonly parser?: (Record<number, unknown> & { readonly constructor: { readonly kOnBody?: number } }) | null;
}

/** Node makes an object of each piece that the same packet has, unless nobody hears of it. */
function hearNoMore(socket: Parsed): void {
  const { parser } = socket;
  const place = parser?.constructor.kOnBody;
  if (!parser || place === undefined) return;
  const hear = parser[place];
  parser[place] = undefined;
  // Node uses parsers again. It gives this one back when the connection closes, and to no other before that is over.
  socket.once('close', () => (parser[place] = hear));
}
