// Values that a key of AWS KMS wrapped: a request for each, since there is none for several.
import type { WrappingContext } from '../crypto/wrapped.ts';
import { PaycertError } from '../errors.ts';
import type { AwsKms } from '../origins/aws/kms.ts';
import { malformed, textOf } from '../origins/content.ts';
import { type Opened, type Opener, unopened } from './opener.ts';

const prefix = 'aws-kms:';

/** What AWS takes is 6144 bytes; more in base64. */
const maxBytes = prefix.length + 8192;

/** Whatever wrapped a value, it is opened with that key or not at all. */
export const awsOpener = (kms: Pick<AwsKms, 'ask'>, key: string, context: WrappingContext): Opener => ({
  service: 'awskms',
  form: `${prefix}BASE64`,
  maxBytes,
  isWrapped: (text) => /^aws-kms:[A-Za-z0-9+/]+={0,2}$/.test(text),

  async open(texts, signal) {
    const what = `unwrap with awskms:///${key}`;
    const open = async (text: string): Promise<Opened> => {
      const body = { CiphertextBlob: text.slice(prefix.length), EncryptionContext: context, KeyId: key };
      try {
        const plaintext = textOf((await kms.ask({ operation: 'Decrypt', body }, what, signal))['Plaintext']);
        if (plaintext === undefined) throw malformed(what, 'AWS KMS');
        return Buffer.from(plaintext, 'base64');
      } catch (error) {
        // Said of one value: the others may open.
        if (error instanceof PaycertError && error.code === 'origin-refused') return unopened(what);
        throw error;
      }
    };
    return Promise.all(texts.map(open));
  },
});
