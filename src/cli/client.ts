// paycert sign, verify, decrypt, status: people talking to a running sidecar.
import { callSidecar, readProblem, type Values } from './call-sidecar.ts';
import { type Invocation, required, usageError } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { readInput } from './input.ts';
import { type Process, processRemarks, renderStatus, type Status } from './status-report.ts';
import { paint, print, printError } from './table.ts';

/** Prints the response and turns its status into an exit code: 1 where the answer is no. */
async function ask(
  values: Values,
  [method, path]: readonly [method: string, path: string],
  show: (body: never) => string,
  body?: object,
): Promise<number> {
  const answer = await callSidecar(values, method, path, body);
  if (answer.status === 200) {
    print(values['output'] === 'json' ? JSON.stringify(answer.body, undefined, 2) : show(answer.body as never));
    return 0;
  }
  const { title, detail, hint } = readProblem(answer);
  if (values['output'] === 'json') print(JSON.stringify(answer.body, undefined, 2));
  else printError(detail, title, hint);
  return codeOf[answer.status] ?? (answer.status >= 500 ? exitCodes.internal : exitCodes.request);
}

/** The answer is no; not ready. Others by their class: our bug, or the caller's error. */
const codeOf: Readonly<Record<number, number>> = { 422: exitCodes.refused, 503: exitCodes['not-ready'] };

const route = (credential: string, operation: string) =>
  `/v1/credentials/${encodeURIComponent(credential)}/${operation}`;

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
    return ask(values, ['GET', '/statusz'], ({ credentials, ...process }: Process) =>
      [renderStatus(credentials), ...processRemarks(process)].join('\n'),
    );
  const code = await ask(values, ['GET', `/v1/credentials/${encodeURIComponent(name)}`], (one: Status) =>
    renderStatus([one]),
  );
  // What is wrong with the process concerns every credential of it.
  if (code === 0 && values['output'] !== 'json') {
    const { body } = await callSidecar(values, 'GET', '/statusz');
    for (const line of processRemarks(body as Process)) print(line);
  }
  return code;
}
