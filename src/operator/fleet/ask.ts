// Asks one admin port what its sidecar has: one GET without a redirect, bounded in bytes and in time.
import { isIPv6 } from 'node:net';
import type { Sighting } from '../../store/sighting.ts';
import { readBytes, request, TooLarge, Unreachable } from '../../system/request.ts';
import { maxSightingBytes, readSighting, Unseen } from './read-sighting.ts';

export const fleetPath = '/fleet';

/** For the connection, the head and the whole body together. */
export const patienceMilliseconds = 2000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** @throws Unseen, or the signal's reason */
export async function askPod({ host, port }: Address, signal: AbortSignal): Promise<Sighting> {
  const server = new URL(`http://${isIPv6(host) ? `[${host}]` : host}:${String(port)}`);
  const patience = AbortSignal.timeout(patienceMilliseconds);
  const both = AbortSignal.any([signal, patience]);
  try {
    const headers = { Accept: 'application/json', 'User-Agent': 'paycert' };
    const options = { method: 'GET', path: fleetPath, headers, agent: false } as const;
    const sending = { silenceMilliseconds: patienceMilliseconds, mayRepeat: false };
    const response = await request(server, options, sending, both);
    if (response.statusCode !== 200) {
      response.destroy();
      throw new Unseen(`it answers with status ${String(response.statusCode)}`);
    }
    return readSighting(await readBytes(response, maxSightingBytes, both));
  } catch (error) {
    signal.throwIfAborted();
    throw toUnseen(error, patience.aborted);
  }
}

function toUnseen(error: unknown, isLate: boolean): unknown {
  if (isLate) return new Unseen(`no response within ${String(patienceMilliseconds / 1000)} s`);
  if (error instanceof Unreachable) return new Unseen(`it cannot be reached (${error.reason})`);
  if (error instanceof TooLarge) return new Unseen('its response is too large');
  return error;
}
