// One call of a running sidecar, over its socket or its port, and why it cannot be made.
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { dirname } from 'node:path';
import type { Static } from 'typebox';
import { type ErrorCode, errorTable, PaycertError } from '../errors.ts';
import type { Problem } from '../server/schema.ts';
import { type Invocation, text as option, usageError } from './command.ts';
import type { Recalled } from './explain-report.ts';
import { readAll } from './input.ts';
import { readToken } from '../config/token.ts';

export type Values = Invocation['values'];

const defaultSocket = '/run/paycert/paycert.sock';

export interface SidecarResponse {
  readonly status: number;
  readonly body: unknown;
}

/** A sidecar answers in milliseconds; one that stays silent that long is stuck, or is not a sidecar. */
const patienceMilliseconds = 30_000;

export async function callSidecar(
  values: Values,
  method: string,
  path: string,
  body?: object,
): Promise<SidecarResponse> {
  const url = option(values, 'url');
  const tokenFile = option(values, 'token-file');
  const target =
    url === undefined
      ? { socketPath: option(values, 'socket') ?? process.env['PAYCERT_SOCKET'] ?? defaultSocket }
      : parseUrl(url);
  const headers = {
    ...(tokenFile !== undefined && { Authorization: `Bearer ${await readToken(tokenFile, 'token', '--token-file')}` }),
    ...(body && { 'Content-Type': 'application/json' }),
  };
  const where = 'socketPath' in target ? target.socketPath : `${target.host}:${target.port}`;
  const unreachable = (why: string) =>
    new PaycertError('sidecar-unreachable', `no sidecar answers at ${where} (${why})`);
  const received = await new Promise<{ status: number; content: string }>((resolve, reject) => {
    const fail = ({ name, code }: NodeJS.ErrnoException) =>
      void whyNot('socketPath' in target ? target.socketPath : undefined, code ?? name).then(
        (why) => reject(unreachable(why)),
        reject,
      );
    const signal = AbortSignal.timeout(patienceMilliseconds);
    const request = httpRequest({ ...target, method, path, headers, signal }, (response) => {
      readAll(response).then(
        (content) => resolve({ status: response.statusCode ?? 0, content: content.toString() }),
        fail,
      );
    });
    request.on('error', fail);
    request.end(body && JSON.stringify(body));
  });
  try {
    return { status: received.status, body: JSON.parse(received.content) as unknown };
  } catch {
    throw unreachable('what answers there speaks no JSON');
  }
}

/** What a person must change to get in: numbers of users and groups are public. */
async function whyNot(socketPath: string | undefined, code: string): Promise<string> {
  if (socketPath === undefined) return code;
  if (code === 'ENOENT') {
    const directory = dirname(socketPath);
    return existsSync(directory)
      ? `${code}: the directory is there, and no socket in it`
      : `${code}: there is no directory ${directory}`;
  }
  if (code !== 'EACCES') return code;
  const self = `this is uid ${String(process.getuid?.())}, in groups ${process.getgroups?.().join(', ') ?? ''}`;
  const owner = await stat(socketPath).catch(() => undefined);
  return owner === undefined
    ? `${code}: its directory may not be searched; ${self}`
    : `${code}: the caller must be in group ${String(owner.gid)}, or be uid ${String(owner.uid)}; ${self}`;
}

function parseUrl(url: string): { host: string; port: string } {
  if (!URL.canParse(url) || !url.startsWith('http://'))
    throw usageError('--url is an address such as http://127.0.0.1:8010');
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? '80' : port };
}

/** Whatever else speaks JSON at that address does not speak in problems. */
export function readProblem({
  status,
  body,
}: SidecarResponse): Pick<Static<typeof Problem>, 'title' | 'detail' | 'hint'> {
  const { title, detail, hint } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof title === 'string' && typeof detail === 'string' && typeof hint === 'string')
    return { title, detail, hint };
  throw new PaycertError('sidecar-unreachable', `what answers there is no sidecar (status ${status})`);
}

/** What the sidecar remembers of the request with this nonce. @throws PaycertError with the code that it answers */
export async function getSigned(values: Values, nonce: string): Promise<readonly Recalled[]> {
  const answer = await callSidecar(values, 'GET', `/signed/${encodeURIComponent(nonce)}`);
  if (answer.status === 200) return (answer.body as { readonly signed: readonly Recalled[] }).signed;
  const { title, detail } = readProblem(answer);
  throw new PaycertError(Object.hasOwn(errorTable, title) ? (title as ErrorCode) : 'sidecar-unreachable', detail);
}
