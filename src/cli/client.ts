// paycert sign, verify, decrypt, status: people talking to a running sidecar.
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { dirname } from 'node:path';
import type { Static } from 'typebox';
import { type ErrorCode, errorTable, PaycertError } from '../errors.ts';
import { roleOf } from '../providers/roles.ts';
import type { CredentialStatus, Problem, ProcessStatus } from '../server/schema.ts';
import type { Recalled } from './explain.ts';
import { type Invocation, required, text as option, usageError } from './command.ts';
import { readAll, readInput } from './input.ts';
import { readToken } from './token.ts';
import { endingSoon } from '../store/abilities.ts';
import { date, daysLeft, formatTable, listIgnored, paint, print, printError } from './table.ts';

type Values = Invocation['values'];
type Status = Static<typeof CredentialStatus>;
type Process = Static<typeof ProcessStatus>;

const defaultSocket = '/run/paycert/paycert.sock';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A sidecar answers in milliseconds; one that stays silent that long is stuck, or is not a sidecar. */
const patienceMilliseconds = 30_000;

async function call(values: Values, method: string, path: string, body?: object): Promise<Answer> {
  const url = option(values, 'url');
  const tokenFile = option(values, 'token-file');
  const target =
    url === undefined
      ? { socketPath: option(values, 'socket') ?? process.env['PAYCERT_SOCKET'] ?? defaultSocket }
      : parseUrl(url);
  const headers = {
    ...(tokenFile !== undefined && { Authorization: `Bearer ${await readToken(tokenFile)}` }),
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

/** Prints the response and turns its status into an exit code: 1 where the answer is no. */
async function ask(
  values: Values,
  [method, path]: readonly [method: string, path: string],
  show: (body: never) => string,
  body?: object,
): Promise<number> {
  const answer = await call(values, method, path, body);
  if (answer.status === 200) {
    print(values['output'] === 'json' ? JSON.stringify(answer.body, undefined, 2) : show(answer.body as never));
    return 0;
  }
  const { title, detail, hint } = readProblem(answer);
  if (values['output'] === 'json') print(JSON.stringify(answer.body, undefined, 2));
  else printError(detail, title, hint);
  return exitCodes[answer.status] ?? (answer.status >= 500 ? 70 : 64);
}

/** The answer is no; not ready. Others by their class: our bug, or the caller's error. */
const exitCodes: Readonly<Record<number, number>> = { 422: 1, 503: 75 };

/** Whatever else speaks JSON at that address does not speak in problems. */
function readProblem({ status, body }: Answer): Pick<Static<typeof Problem>, 'title' | 'detail' | 'hint'> {
  const { title, detail, hint } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof title === 'string' && typeof detail === 'string' && typeof hint === 'string')
    return { title, detail, hint };
  throw new PaycertError('sidecar-unreachable', `what answers there is no sidecar (status ${status})`);
}

const route = (credential: string, operation: string) =>
  `/v1/credentials/${encodeURIComponent(credential)}/${operation}`;

/** What the sidecar remembers of the request with this nonce. @throws PaycertError with the code that it answers */
export async function getSigned(values: Values, nonce: string): Promise<readonly Recalled[]> {
  const answer = await call(values, 'GET', `/signed/${encodeURIComponent(nonce)}`);
  if (answer.status === 200) return (answer.body as { readonly signed: readonly Recalled[] }).signed;
  const { title, detail } = readProblem(answer);
  throw new PaycertError(Object.hasOwn(errorTable, title) ? (title as ErrorCode) : 'sidecar-unreachable', detail);
}

export async function sign({ values, positionals: [name = '', file] }: Invocation): Promise<number> {
  const messageBase64 = (await readInput(file)).toString('base64');
  const show = ({ signature, keyId }: { signature: string; keyId: string }) =>
    `${signature}\n${paint('dim', `key id ${keyId}`)}`;
  return ask(values, ['POST', route(name, 'sign')], show, { messageBase64 });
}

export async function verify({ values, positionals: [name = '', file] }: Invocation): Promise<number> {
  const [signature, keyId] = [required(values, 'signature'), required(values, 'key-id')];
  const messageBase64 = (await readInput(file)).toString('base64');
  return ask(values, ['POST', route(name, 'verify')], () => paint('green', 'valid'), {
    messageBase64,
    signature,
    keyId,
  });
}

/** A resource as WeChat Pay writes it, with `associated_data`, or as the API takes it; otherwise a field. */
export async function decrypt({ values, positionals: [name = '', file] }: Invocation): Promise<number> {
  const input = (await readInput(file)).toString().trim();
  const show = ({ plaintext, plaintextBase64 }: { plaintext?: string; plaintextBase64?: string }) =>
    plaintext ?? plaintextBase64 ?? '';
  return ask(
    values,
    ['POST', route(name, 'decrypt')],
    show,
    input.startsWith('{') ? readResource(input) : { ciphertext: input },
  );
}

function readResource(input: string): object {
  try {
    const {
      algorithm,
      ciphertext,
      nonce,
      associatedData,
      associated_data: snake,
    } = JSON.parse(input) as Record<string, unknown>;
    return { algorithm, ciphertext, nonce, associatedData: associatedData ?? snake ?? '' };
  } catch {
    throw usageError('the input is neither JSON nor base64');
  }
}

export async function status({ values, positionals: [name] }: Invocation): Promise<number> {
  if (name === undefined)
    return ask(values, ['GET', '/statusz'], ({ credentials, files }: Process) =>
      [render(credentials), ...files.flatMap(fileRemarks)].join('\n'),
    );
  const code = await ask(values, ['GET', `/v1/credentials/${encodeURIComponent(name)}`], (one: Status) =>
    render([one]),
  );
  // What is wrong with the process concerns every credential of it.
  if (code === 0 && values['output'] !== 'json') {
    const { body } = await call(values, 'GET', '/statusz');
    for (const line of (body as Process).files.flatMap(fileRemarks)) print(line);
  }
  return code;
}

const fileRemarks = ({ file, rejection }: Process['files'][number]): string[] =>
  rejection === undefined
    ? []
    : [
        `${paint('red', 'rejected:')} ${file}: since ${rejection.at ?? ''} the last good content is in use, and the next restart fails. ${noticeText(rejection)}`,
      ];

const noticeText = ({ detail, code, hint }: Status['warnings'][number]) => `${detail} (${code}). ${hint}`;

function render(credentials: readonly Status[]): string {
  const now = new Date();
  const time = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  const rows = credentials.flatMap(({ name, ready, generation, snapshotId, apiv3Key, keys }) =>
    (keys.length > 0 ? keys : [undefined]).map((key, index) => {
      const own =
        index === 0 ? [name, ready ? 'yes' : 'no', String(generation ?? 0), snapshotId ?? '-'] : ['', '', '', ''];
      const role = key?.role === 'apiv3' && apiv3Key ? `apiv3 (${apiv3Key})` : (key?.role ?? '-');
      return [
        ...own,
        role,
        key?.keyId ?? '-',
        date(time(key?.notAfter)),
        // Such as a merchant key that came with a serial number alone: its certificate expires, and nobody here knows when.
        key && (key.notAfter !== undefined || roleOf(key.role)?.expiry?.code !== 'certificate-expired')
          ? daysLeft(time(key.notAfter), now)
          : '-',
        date(time(key?.replaceBy)),
      ];
    }),
  );
  const header = ['CREDENTIAL', 'READY', 'GENERATION', 'SNAPSHOT', 'ROLE', 'KEY ID', 'NOT AFTER', 'DAYS LEFT', 'REPLACE BY']; // prettier-ignore
  return [formatTable(header, rows), ...credentials.flatMap((credential) => remarks(credential, now))].join('\n');
}

type Abilities = Pick<Status, 'name' | 'keys'> & Partial<Pick<Status, 'can' | 'cannot' | 'ignored'>>;

/** What its keys can do, and what of them ends soon. A sidecar of an older version does not say what they can do. */
function abilityRemarks({ name, keys, can = [], cannot = [], ignored = [] }: Abilities, now: Date): string[] {
  const line = (label: string, words: string) => `${paint('yellow', label)} ${name}: ${words}`;
  const known = keys.map(({ role, keyId, notAfter }) => ({
    role,
    keyId,
    ...(notAfter !== undefined && { notAfter: new Date(notAfter) }),
  }));
  return [
    ...(can.length > 0 ? [`can: ${name}: ${can.join(', ')}`] : []),
    ...(can.length > 0 && cannot.length > 0 ? [line('cannot:', cannot.join(', '))] : []),
    ...endingSoon(known, now).map(({ role, keyId, notAfter, days }) =>
      line('ends:', `${role} ${keyId} on ${date(notAfter)}, in ${String(days)} days`),
    ),
    ...(ignored.length > 0 ? [line('unread:', listIgnored(ignored))] : []),
  ];
}

/** What a person should know of a credential beside its keys. */
function remarks(
  {
    name,
    suspended = false,
    rejection,
    deferral,
    sourceError,
    resourceError,
    unopened = [],
    warnings,
    frozenPaths,
    lacking,
    keys,
    ...more
  }: Status,
  now: Date,
): string[] {
  const line = (style: 'red' | 'yellow', label: string, words: string) => `${paint(style, label)} ${name}: ${words}`;
  return [
    ...abilityRemarks({ name, keys, ...more }, now),
    ...(lacking.length > 0 ? [line('red', 'not ready:', `cannot ${lacking.join(', ')}`)] : []),
    ...(suspended
      ? [
          line(
            'red',
            'suspended:',
            'its keys are dropped; set spec.suspend of its PaymentCredential to false to resume',
          ),
        ]
      : []),
    ...(rejection ? [line('red', 'rejected:', noticeText(rejection))] : []),
    ...(deferral
      ? [line('yellow', 'deferred:', `becomes current by itself at ${deferral.until}. ${noticeText(deferral)}`)]
      : []),
    ...(sourceError ? [line('red', 'unreadable:', noticeText(sourceError))] : []),
    ...(resourceError
      ? [line('red', 'not followed:', `what its PaymentCredential said last is in use. ${noticeText(resourceError)}`)]
      : []),
    ...unopened.map(({ kind, count, since, at, ...last }) => {
      const what = kind === 'notification' ? 'signed notifications' : 'ciphertexts';
      return line('red', 'not opened:', `${count} ${what} since ${since}, the last at ${at}. ${noticeText(last)}`);
    }),
    ...(frozenPaths
      ? [line('red', 'never updates:', `subPath mount at ${frozenPaths.join(', ')}; mount the whole volume`)]
      : []),
    ...keys
      .filter(({ replaceBy }) => replaceBy !== undefined && new Date(replaceBy) <= now)
      .map(({ role, keyId }) => line('yellow', 'too old:', `key ${keyId} (${role}) is older than maxAge; replace it`)),
    ...warnings.map((warning) => line('yellow', 'warning:', noticeText(warning))),
  ];
}
