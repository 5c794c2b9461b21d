// One download of a platform's certificate by its number: asked for with the owner's own key, held against its material, and verified.
import { PaycertError } from '../errors.ts';
import type { CertificateBySerial } from '../providers/certificate-by-serial.ts';
import { type Asking, type AskingOptions, assertVerified, type Known, loadKnown } from './certificate-download.ts';

export interface SerialDownloadOptions extends AskingOptions {
  readonly bySerial: CertificateBySerial;
}

/**
 * The certificate, or that the platform has none of that number. Undefined: nothing can be asked with this material, which the
 * checks refuse anyway.
 * @throws PaycertError of kind `gateway`, `refused` and `not-ready`, and why a key that stays elsewhere cannot be used
 */
export async function downloadBySerial(
  serial: string,
  material: Known,
  options: SerialDownloadOptions,
  { calls, clock, signal }: Asking,
): Promise<Uint8Array | 'unknown' | undefined> {
  const { credential, bySerial, destinations } = options;
  const loaded = await loadKnown(material, options, signal);
  const { authorize } = loaded.known.operations;
  if (loaded.known.set.problems.length > 0 || authorize === undefined) return undefined;
  const request = bySerial.request(serial);
  const call = { credential, operation: 'download-certificate', request: () => request, authorize, destinations };
  const response = await calls.send(call, signal);
  const opened = bySerial.open(response);
  if (opened === 'unknown') return opened;
  const now = clock.now();
  const fault = bySerial.faultOf(opened, { serial, data: material.data, now });
  if (fault !== undefined) throw fault;
  const next = await loaded.loadWith(new Map([...material.listed, [bySerial.partName(serial), opened]]));
  const [problem] = next.set.problems;
  if (problem !== undefined)
    throw new PaycertError('certificate-list-invalid', `the certificate of the platform cannot be used: ${problem.message}`); // prettier-ignore
  if (bySerial.isSigned(response))
    await assertVerified({ ...response, apiMethod: request.apiMethod }, [loaded.known, next], now);
  return opened;
}
