// What to do with files that hold keys in a form that `paycert init` does not take: archives, tables, containers without a password.
import { isZip } from '../../crypto/foreign-forms.ts';

/** Of an archive, by its name or by its bytes. */
export const saidOfArchive = (name: string): string =>
  `${name} is an archive: unpack it, and give the directory that holds its files`;

/** Of a key that stays elsewhere: whether it is the certificate's, only its service can say. */
export const saidOfReference = (name: string): string =>
  `${name} names a key that stays in a key service, which init does not ask: write paycert.yaml with keyServices, as docs/keys.md says, and run validate`;

interface Remedy {
  readonly isIt: (name: string, bytes: Uint8Array) => boolean;
  readonly say: (name: string) => string;
}

const remedies: readonly Remedy[] = [
  {
    isIt: (_, bytes) => isZip(bytes),
    say: saidOfArchive,
  },
  {
    isIt: (name, bytes) =>
      /\.csv$/i.test(name) && /access ?key ?id/i.test(Buffer.from(bytes.subarray(0, 512)).toString()),
    say: (name) =>
      `${name} is a table with an access key: put what stands below AccessKey ID into a file access_key_id, and what stands below AccessKey Secret into access_key_secret`,
  },
  {
    isIt: (name) => /\.(?:p12|pfx)$/i.test(name),
    say: (name) => `${name} needs its password, which is the merchant id: give --merchant-id`,
  },
];

/** Of the first file that is known so. */
export function remedyFor(files: ReadonlyMap<string, Uint8Array>): string | undefined {
  for (const [name, bytes] of files) {
    const remedy = remedies.find(({ isIt }) => isIt(name, bytes));
    if (remedy !== undefined) return remedy.say(name);
  }
  return undefined;
}
