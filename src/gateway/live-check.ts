// Asks a platform whether it takes a key that is not current yet, by one harmless call that is signed with it.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { tolerableSkewSeconds } from '../events.ts';
import type { LiveCheck } from '../providers/live-check.ts';
import type { SigningContext } from '../providers/provider.ts';
import type { AskPlatform, LiveVerdict } from '../store/live-check.ts';
import type { Destination, OwnCalls, OwnResponse } from './own-calls.ts';

export interface AskOptions {
  readonly credential: string;
  readonly check: LiveCheck;
  readonly destinations: readonly Destination[];
  readonly calls: OwnCalls;
  readonly clock: Clock;
}

const none = (message: string): LiveVerdict => ({
  verdict: 'none',
  error: new PaycertError('key-unconfirmed', `whether the platform takes the new key is not known: ${message}`),
});

export function askPlatform({ credential, check, destinations, calls, clock }: AskOptions): AskPlatform {
  const { request } = check;
  return async (context, signal) => {
    const { authorize } = context.operations;
    if (authorize === undefined) return { verdict: 'accepted' };
    try {
      const call = { credential, operation: 'live-check', request, authorize, destinations };
      const { apiMethod } = request(destinations[0]?.origin ?? '');
      return await verdictOf(await calls.send(call, signal), { check, context, apiMethod, now: clock.now() });
    } catch (error) {
      if (error instanceof PaycertError) return none(error.message);
      throw error;
    }
  };
}

interface Judging {
  readonly check: LiveCheck;
  readonly context: SigningContext;
  readonly apiMethod: string | undefined;
  readonly now: Date;
}

async function verdictOf(response: OwnResponse, judging: Judging): Promise<LiveVerdict> {
  const { check, now } = judging;
  const { host, status } = response;
  const said = `${host} responded with ${String(status)}`;
  const verdict = check.verdictOf(response);
  if (verdict === 'none') return none(said);
  if (verdict === 'accepted')
    return (await isForged(response, judging)) ? none(`${said}, and that does not verify`) : { verdict };
  const skew = skewSeconds(response, now);
  // Whatever the key is, nothing that is signed for another time is taken.
  if (skew > tolerableSkewSeconds) return none(`${said}, and the clock here is off by ${String(Math.round(skew))} s`);
  const message = `${said} to a call that the new key signed, which makes it the wrong key, or one that the console does not have yet`;
  return { verdict, error: new PaycertError('refused-by-platform', message) };
}

/** At least that far from the platform's clock, which writes whole seconds. */
function skewSeconds({ headers }: OwnResponse, now: Date): number {
  const theirs = Date.parse(headers['date'] ?? '');
  return Number.isNaN(theirs) ? 0 : Math.max(Math.abs(theirs + 500 - now.getTime()) / 1000 - 0.5, 0);
}

/** Where its key is not known, or the platform signs no errors, TLS alone says who responded; what is at stake is a check. */
const unsigned: ReadonlySet<string> = new Set(['key-id-unknown', 'no-platform-key', 'response-unsigned']);

async function isForged({ host: _, ...response }: OwnResponse, { context, apiMethod, now }: Judging): Promise<boolean> {
  const { verify } = context.operations;
  if (verify === undefined) return false;
  try {
    await verify({ kind: 'response', ...response, ...(apiMethod !== undefined && { apiMethod }) }, now);
    return false;
  } catch (error) {
    if (error instanceof PaycertError) return !unsigned.has(error.code);
    throw error;
  }
}
