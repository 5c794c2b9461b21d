// A WeChat Pay merchant's own key and certificate among the files of a directory, whatever they are called, and which merchant it is.
import type { X509Certificate } from 'node:crypto';
import { readPkcs12 } from '../../crypto/pkcs12.ts';
import { PaycertError } from '../../errors.ts';
import type { Told } from '../platform.ts';
import { type Found, isPair, longest } from './found.ts';
import { merchantIdOf } from './holder.ts';

type Files = ReadonlyMap<string, Uint8Array>;

const merchantOf = (certificate: X509Certificate | undefined): string | undefined =>
  certificate && merchantIdOf(certificate);

/** What a merchant has in both versions: its id, and its pair or the container of both. */
export interface MerchantFiles {
  readonly merchantId: string;
  readonly parts: ReadonlyMap<string, string>;
}

/** @throws PaycertError `usage` for certificates of several merchants, of which none is named */
export async function findMerchant(
  files: Files,
  found: readonly Found[],
  told: Told,
): Promise<MerchantFiles | undefined> {
  const own = found.filter(({ certificates: [leaf] }) => merchantOf(leaf) !== undefined);
  const hasKey = ({ certificates: [leaf] }: Found) =>
    found.some(({ privateKey }) => isPair(privateKey, leaf?.publicKey));
  // Another merchant's certificate, such as one in the place of the platform's, does not make it unclear whose the keys are.
  const keyed = own.filter(hasKey);
  const merchants = new Set((keyed.length > 0 ? keyed : own).map(({ certificates: [leaf] }) => merchantOf(leaf)));
  if (told.merchantId === undefined && merchants.size > 1)
    throw new PaycertError(
      'usage',
      `there are certificates of the merchants ${[...merchants].join(', ')}: name one with --merchant-id`,
    );
  if (told.merchantId !== undefined && merchants.size > 0 && !merchants.has(told.merchantId))
    throw new PaycertError(
      'usage',
      `the certificates there are of ${[...merchants].join(', ')}, not of ${told.merchantId}: correct --merchant-id, or leave it out`,
    );
  const [only] = merchants;
  const merchantId = told.merchantId ?? only;
  const certificates = own.filter(({ certificates: [leaf] }) => merchantOf(leaf) === merchantId);
  const certificate = longest(certificates.filter(hasKey)) ?? longest(certificates);
  const key =
    found.find(({ privateKey }) => isPair(privateKey, certificate?.certificates[0]?.publicKey)) ??
    found.find(({ name, privateKey }) => privateKey !== undefined && name === 'apiclient_key.pem');
  const parts = new Map([
    ...(key ? [['apiclient_key.pem', key.name] as const] : []),
    ...(certificate ? [['apiclient_cert.pem', certificate.name] as const] : []),
    ...(!certificate && files.has('merchant_serial') ? [['merchant_serial', 'merchant_serial'] as const] : []),
  ]);
  if (key && merchantId !== undefined) return { merchantId, parts };
  const opened = await findContainer(files, merchantId);
  if (opened !== undefined) return opened;
  return merchantId !== undefined && parts.size > 0 ? { merchantId, parts } : undefined;
}

/** Its password is the merchant id: told, or in the name of the container or of what lies beside it. */
async function findContainer(files: Files, merchantId: string | undefined): Promise<MerchantFiles | undefined> {
  const passwordFile = 'apiclient_cert.p12.password';
  for (const [name, bytes] of files) {
    if (!/\.(?:p12|pfx)$/i.test(name)) continue;
    const guesses = merchantId === undefined ? (name.match(/\d{8,10}/g) ?? []) : [merchantId];
    const password = files.get(passwordFile);
    for (const guess of [...(password ? [Buffer.from(password).toString().trim()] : []), ...guesses.slice(0, 4)]) {
      const opened = await readPkcs12(bytes, guess, name).catch((error: unknown) => {
        if (error instanceof PaycertError) return undefined;
        throw error;
      });
      const named = merchantOf(opened?.certificates[0]);
      const parts = new Map([
        ['apiclient_cert.p12', name],
        ...(password && named !== guess ? [[passwordFile, passwordFile] as const] : []),
      ]);
      if (named !== undefined) return { merchantId: named, parts };
    }
  }
  return undefined;
}
