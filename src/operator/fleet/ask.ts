// Asks one admin port what its sidecar has: one GET without a redirect, bounded in bytes and in time.
import { Agent } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Sighting } from '../../store/sighting.ts';
import { readBytes, request, TooLarge, Unreachable } from '../../system/request.ts';
import { TimeLimit } from '../../system/time-limit.ts';
import { maxSightingBytes, readSighting, Unseen } from './read-sighting.ts';

export const fleetPath = '/fleet';

/** For the connection, the head and the whole body together. */
export const patienceMilliseconds = 2000;

/** Every Pod is another host, and is asked once in minutes: no connection is kept. */
const agent = new Agent();

const late = `no response within ${String(patienceMilliseconds / 1000)} s`;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** @throws Unseen, or the signal's reason */
export async function askPod({ host, port }: Address, signal: AbortSignal): Promise<Sighting> {
  const server = new URL(`http://${isIPv6(host) ? `[${host}]` : host}:${String(port)}`);
  using limit = new TimeLimit(signal, patienceMilliseconds);
  try {
    const headers = { Accept: 'application/json', 'User-Agent': 'paycert' };
    const options = { method: 'GET', path: fleetPath, headers, agent } as const;
    const sending = { silenceMilliseconds: patienceMilliseconds, mayRepeat: false };
    const response = await request(server, options, sending, limit.signal);
    if (response.statusCode !== 200) {
      response.destroy();
      throw new Unseen(`it answers with status ${String(response.statusCode)}`);
    }
    return readSighting(await readBytes(response, maxSightingBytes, limit.signal));
  } catch (error) {
    signal.throwIfAborted();
    throw limit.isLate ? new Unseen(late) : toUnseen(error);
  }
}

function toUnseen(error: unknown): unknown {
  if (error instanceof Unreachable) return new Unseen(`it cannot be reached (${error.reason})`);
  if (error instanceof TooLarge) return new Unseen('its response is too large');
  return error;
}
