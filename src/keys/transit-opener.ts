// Values that a key of transit wrapped, of Vault and OpenBao: all that are new in one request, which answers for each.
import { contextBytes, type WrappingContext } from '../crypto/wrapped.ts';
import { PaycertError } from '../errors.ts';
import { textOf, within } from '../origins/content.ts';
import type { Question, Reply } from '../origins/server.ts';
import { toError } from '../origins/vault/responses.ts';
import { type Opened, type Opener, unopened } from './opener.ts';

export interface TransitOpenerOptions {
  readonly session: { ask(question: Omit<Question, 'headers'>, signal: AbortSignal): Promise<Reply> };
  /** Where the engine is mounted; the first parts may be namespaces. */
  readonly mount: string;
  readonly key: string;
  /** Sent as `associated_data`, in JSON with its names in order. */
  readonly context: WrappingContext;
}

export function transitOpener({ session, mount, key, context }: TransitOpenerOptions): Opener {
  const what = `unwrap with ${mount}/keys/${key}`;
  const path = `/v1/${[...mount.split('/'), 'decrypt', key].map(encodeURIComponent).join('/')}`;
  const bound = contextBytes(context);
  const about = bound.length === 0 ? {} : { associated_data: bound.toString('base64') };

  return {
    service: 'hashivault',
    form: 'vault:v1:BASE64',
    maxBytes: 64 * 1024,
    isWrapped: (text) => /^vault:v[1-9]\d{0,8}:[A-Za-z0-9+/]+={0,2}$/.test(text),
    async open(texts, signal) {
      const body = { batch_input: texts.map((ciphertext) => ({ ciphertext, ...about })) };
      const reply = await session.ask({ method: 'POST', path, body, what, isRead: true }, signal);
      const { batch_results: results } = within(reply.content, 'data');
      // One that is refused makes the status 400 or 500, and says nothing of the others.
      if (Array.isArray(results) && results.length === texts.length)
        return results.map((result) => openedOf(result, what));
      if (reply.status === 200)
        throw new PaycertError('response-malformed', `${what}: the response is not what the API of Vault promises`);
      if (reply.status >= 500) throw new PaycertError('origin-failing', `${what}: Vault cannot open it now (${String(reply.status)})`); // prettier-ignore
      // 400 without results is said of a key that is not there.
      throw reply.status === 400
        ? new PaycertError('key-missing', `${what}: ${mount} has no such key, or it opens nothing (400)`)
        : toError(reply, what);
    },
  };
}

function openedOf(result: unknown, what: string): Opened {
  const { plaintext, error } = within(result);
  const text = textOf(plaintext);
  return text === undefined || (error !== undefined && error !== '') ? unopened(what) : Buffer.from(text, 'base64');
}
