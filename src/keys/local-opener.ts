// Values wrapped with a key in a file, for development: nothing is asked of anybody.
import { isWrappedHere, openValue, parseWrappingKey, type WrappingContext } from '../crypto/wrapped.ts';
import { PaycertError } from '../errors.ts';
import { readSetting } from '../origins/settings.ts';
import { type Opener, unopened } from './opener.ts';

const field = 'keyServices.local.keyFile';

/** @throws PaycertError `source-unreadable`, `wrapping-key-malformed` */
async function readKey(path: string): Promise<Uint8Array> {
  const key = parseWrappingKey(await readSetting(field, path, 'key'));
  if (key !== undefined) return key;
  throw new PaycertError('wrapping-key-malformed', `${path} holds no key: one line of base64, of 32 bytes`, { field });
}

/** The file is read again whenever something is to be opened. */
export const localOpener = (keyFile: string, context: WrappingContext): Opener => ({
  service: 'local',
  form: 'paycert:v1:BASE64',
  maxBytes: 64 * 1024,
  isWrapped: isWrappedHere,
  async open(texts) {
    const key = await readKey(keyFile);
    return texts.map((text) => openValue(text, key, context) ?? unopened(`the key in ${keyFile} does not open it`));
  },
});
