// One download of a platform's certificates: asked for with the merchant's own key, verified, and opened.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { CertificateList, Listed } from '../providers/certificate-list.ts';
import type { Provider, SigningContext } from '../providers/provider.ts';
import type { Credential } from '../store/attempt.ts';
import type { Destination, OwnCalls, OwnResponse } from './own-calls.ts';

/** Who asks, and where. */
export interface AskingOptions {
  readonly credential: string;
  readonly provider: Pick<Provider, 'load' | 'identity'>;
  readonly destinations: readonly Destination[];
  /** Asks key services for the keys that the material refers to; absent where there are none. */
  readonly resolve?: Credential['resolve'];
}

export interface DownloadOptions extends AskingOptions {
  readonly list: CertificateList;
}

export interface Asking {
  readonly calls: OwnCalls;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a download begins with. */
export interface Known {
  /** The material of the merchant, as its own source has it. */
  readonly data: ReadonlyMap<string, Uint8Array>;
  /** What was listed before. */
  readonly listed: Listed;
}

/**
 * The list, or that there is none. Undefined: nothing can be asked with this material, which the checks refuse anyway.
 * @throws PaycertError of kind `gateway`, `refused` and `not-ready`, and why a key that stays elsewhere cannot be used
 */
export async function downloadCertificates(
  material: Known,
  options: DownloadOptions,
  { calls, clock, signal }: Asking,
): Promise<Listed | 'absent' | undefined> {
  const { credential, list, destinations } = options;
  const { known, loadWith } = await loadKnown(material, options, signal);
  const { authorize, decrypt } = known.operations;
  if (known.set.problems.length > 0 || authorize === undefined || decrypt === undefined) return undefined;
  // Without it nothing that comes could be opened.
  if (!known.set.capabilities(clock.now()).has('decrypt'))
    throw new PaycertError('no-apiv3-key', 'without an APIv3 key no platform certificate can be opened');
  const call = { credential, operation: 'list-certificates', request: list.request, authorize, destinations };
  const response = await calls.send(call, signal);
  if (response.status >= 300) {
    if (list.isAbsent(response)) return 'absent';
    throw refused(response);
  }
  const now = clock.now();
  const opened = await list.open(response.body, decrypt, now);
  const next = await loadWith(opened);
  const [problem] = next.set.problems;
  if (problem !== undefined)
    throw new PaycertError('certificate-list-invalid', `the list of platform certificates cannot be used: ${problem.message}`); // prettier-ignore
  await assertVerified(response, [known, next], now);
  return opened;
}

/** The owner's set with what was listed before, and how it loads with something else. */
export async function loadKnown(
  { data, listed }: Known,
  { provider, resolve }: Pick<AskingOptions, 'provider' | 'resolve'>,
  signal: AbortSignal,
): Promise<{ readonly known: SigningContext; readonly loadWith: (parts: Listed) => Promise<SigningContext> }> {
  const remote = await resolve?.(data, signal);
  // A key service that is away is no fault of the material: it is asked again soon.
  for (const key of remote?.values() ?? []) if (key instanceof PaycertError) throw key;
  const loadWith = (parts: Listed) => provider.load(new Map([...data, ...parts]), remote);
  const all = await loadWith(listed);
  // New material may contradict what was listed for the old one.
  return { known: all.set.problems.length === 0 ? all : await provider.load(data, remote), loadWith };
}

type Response = OwnResponse & { readonly apiMethod?: string | undefined };

/** With the keys that are known; with those that it brings only where it names one that is not. */
export async function assertVerified(
  response: Response,
  [known, next]: readonly [SigningContext, SigningContext],
  now: Date,
): Promise<void> {
  try {
    await verifyWith(known, response, now).catch(async (error: unknown) => {
      if (!(error instanceof PaycertError) || !namesUnknown.has(error.code)) throw error;
      await verifyWith(next, response, now);
    });
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    throw new PaycertError('certificate-list-unverified', `the list of platform certificates does not verify (${error.code})`, { cause: error }); // prettier-ignore
  }
}

const namesUnknown: ReadonlySet<string> = new Set(['key-id-unknown', 'no-platform-key']);

async function verifyWith({ operations }: SigningContext, response: Response, now: Date): Promise<void> {
  const { method, url, status, headers, body, apiMethod } = response;
  if (operations.verify === undefined) throw new PaycertError('no-platform-key', 'nothing verifies the list');
  await operations.verify(
    { kind: 'response', method, url, status, headers, body, ...(apiMethod !== undefined && { apiMethod }) },
    now,
  );
}

/** Its code is public; its words are not ours. */
function refused({ host, status, body }: OwnResponse): PaycertError {
  const [, code] = /"code"\s*:\s*"([A-Z_]{1,64})"/.exec(Buffer.from(body.subarray(0, 4096)).toString()) ?? [];
  return new PaycertError('certificate-list-refused', `${host} responded with ${String(status)}${code === undefined ? '' : ` ${code}`}`); // prettier-ignore
}
