// Which files of a directory WeChat Pay v2 needs: its key, and the pair that is presented in TLS.
import { PaycertError } from '../../errors.ts';
import type { Draft, Told } from '../platform.ts';
import { findFiles, namedAlike } from '../shared/found.ts';
import { findMerchant } from '../shared/merchant-files.ts';

/** Undefined where there is no APIv2 key: whatever else there is, APIv3 has it too. */
export async function draft(files: ReadonlyMap<string, Uint8Array>, told: Told): Promise<Draft | undefined> {
  const [key, previous] = [namedAlike(files, 'apiv2_key'), namedAlike(files, 'apiv2_key.previous')];
  if (key === undefined) return undefined;
  const merchant = await findMerchant(files, findFiles(files), told);
  const merchantId = merchant?.merchantId ?? told.merchantId;
  if (merchantId === undefined)
    throw new PaycertError('usage', 'no merchant certificate says which merchant this is: give --merchant-id');
  const pair = [...(merchant?.parts ?? [])].filter(([name]) => name.startsWith('apiclient_'));
  return {
    options: { merchantId },
    label: merchantId,
    parts: new Map([
      ['apiv2_key', key],
      ...(previous === undefined ? [] : [['apiv2_key.previous', previous] as const]),
      ...(pair.length > 1 || pair.some(([name]) => name.endsWith('.p12')) ? pair : []),
    ]),
  };
}
