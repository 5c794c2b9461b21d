// Values that a key of Aliyun KMS wrapped: a request for each, since there is none for several.
import { contextBytes, type WrappingContext } from '../crypto/wrapped.ts';
import { PaycertError } from '../errors.ts';
import type { AliyunKms } from '../origins/aliyun/kms.ts';
import { malformed, textOf } from '../origins/content.ts';
import { type Opened, type Opener, unopened } from './opener.ts';

const prefix = 'aliyun-kms:';

/** What Aliyun takes is no more than AWS: 6144 bytes, in base64. */
const maxBytes = prefix.length + 8192;

/** `key`: an id. Aliyun opens with the key that the value names, and says which: with another one it does not count. */
export const aliyunOpener = (kms: Pick<AliyunKms, 'ask'>, key: string, context: WrappingContext): Opener => ({
  service: 'aliyunkms',
  form: `${prefix}BASE64`,
  maxBytes,
  isWrapped: (text) => /^aliyun-kms:[A-Za-z0-9+/]+={0,2}$/.test(text),

  async open(texts, signal) {
    const what = `unwrap with ${key} of Aliyun KMS`;
    const bound = contextBytes(context).toString();
    const open = async (text: string): Promise<Opened> => {
      const parameters = {
        CiphertextBlob: text.slice(prefix.length),
        ...(bound !== '' && { EncryptionContext: bound }),
      };
      try {
        const found = await kms.ask({ action: 'Decrypt', parameters }, what, signal);
        const plaintext = textOf(found['Plaintext']);
        if (plaintext === undefined) throw malformed(what, 'Aliyun KMS');
        return found['KeyId'] === key ? Buffer.from(plaintext, 'base64') : unopened(what);
      } catch (error) {
        // Said of one value: the others may open.
        if (error instanceof PaycertError && error.code === 'origin-refused') return unopened(what);
        throw error;
      }
    };
    return Promise.all(texts.map(open));
  },
});
