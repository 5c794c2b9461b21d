// paycert init: from a directory as a platform's console leaves it to paycert.yaml, and to the Secret that holds what counts of it.
import { systemClock } from '../../clock.ts';
import type { CredentialConfig } from '../../config/schema/credential.ts';
import { isKeyReference } from '../../crypto/key-reference.ts';
import { PaycertError } from '../../errors.ts';
import type { Platform } from '../../providers/platform.ts';
import { platforms } from '../../providers/registry.ts';
import { buildProvider } from '../../running/build.ts';
import { usageError } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { findIn } from '../inspect/findings.ts';
import { print, printable } from '../table.ts';
import { evaluate, render } from '../evaluation.ts';
import { assertNamable, assertValid, configurationOf, type InitOptions, type Planned, write } from './configuration.ts';
import { type Listed, listDirectory } from './directory.ts';
import { remedyFor, saidOfReference } from './remedies.ts';
import { fromFile } from './shell.ts';

const unusable = exitCodes.material;

const shortNames: Readonly<Record<string, string>> = { wechatpay: 'wechat', wechatpayV2: 'wechat-v2', mtls: 'tls' };

/** Exit code 65: what is there is not valid, and nothing was written. */
export async function init(options: InitOptions): Promise<number> {
  const listed = await listDirectory(options.directory);
  const planned = await plan(listed, options);
  if (options.isInPlace) assertNamable(planned, listed);
  const configuration = configurationOf(planned, options);
  assertValid(configuration, options);
  const evaluations = await Promise.all(planned.map((one) => check(one, listed)));
  for (const [index, one] of planned.entries())
    print(`${describe(one, listed)}\n${render(evaluations[index] ?? never())}\n`);
  const taken = new Set(planned.flatMap(({ draft }) => [...draft.parts.values()]));
  const left = await Promise.all(
    [...listed.files.keys()].filter((name) => !taken.has(name)).map((name) => nameLeft(name, listed)),
  );
  if (left.length > 0) print(`Left out:\n${left.map((line) => `  ${line}`).join('\n')}\n`);
  if (evaluations.some(({ violations }) => violations.length > 0)) {
    print('Nothing was written: repair what is not valid, and run it again.');
    return unusable;
  }
  // Before the file is written: a file that is there is kept, and people may want the command alone.
  print(`${[...planned.map((one) => commandsOf(one, listed)), ...nextSteps(options)].join('\n\n')}\n`);
  const isNew = await write(options.out, configuration);
  print(`${options.out} ${isNew ? 'is written' : 'says so already'}.`);
  return 0;
}

const never = (): never => {
  throw new TypeError('as many evaluations as credentials');
};

/** Every platform that knows a file of its own there. */
async function plan(
  { files }: Listed,
  { directory, name, merchantId, appId }: InitOptions,
): Promise<readonly Planned[]> {
  const elsewhere = [...files].find(([, bytes]) => isKeyReference(bytes))?.[0];
  if (elsewhere !== undefined) throw usageError(saidOfReference(elsewhere));
  const all: readonly Platform[] = Object.values(platforms);
  const drafts = await Promise.all(
    all.map(async (platform) => ({ platform, draft: await platform.draft?.(files, { merchantId, appId }) })),
  );
  const planned = drafts.flatMap(({ platform, draft }) => {
    if (draft === undefined) return [];
    const label = draft.label === undefined ? '' : `-${draft.label.toLowerCase().replaceAll('_', '-')}`;
    return [{ platform, draft, name: name ?? `${shortNames[platform.id] ?? platform.id}${label}` }];
  });
  if (planned.length === 0)
    throw usageError(
      remedyFor(files) ?? `${directory} holds no certificate or key that says whose it is: inspect shows what is there`,
    );
  if (name !== undefined && planned.length > 1)
    throw usageError(
      `${directory} holds material of ${planned.map(({ platform }) => platform.name).join(' and ')}: leave --name out, or separate the files`,
    );
  return planned;
}

const configOf = ({ name, platform, draft }: Planned): CredentialConfig => ({
  name,
  provider: { [platform.id]: draft.options },
  source: { files: { path: '/' } },
});

/** The material as the Secret will hold it. */
function check(one: Planned, { files }: Listed) {
  const config = configOf(one);
  const data = new Map([...one.draft.parts].map(([part, file]) => [part, files.get(file) ?? new Uint8Array()]));
  const load = () => buildProvider(config.provider).load(data);
  return evaluate({ config, older: 'reject' }, load, systemClock.now());
}

function describe({ platform, draft }: Planned, { files }: Listed): string {
  const width = Math.max(...[...draft.parts.keys()].map((part) => part.length));
  const rows = [...draft.parts].map(([part, file]) => {
    const size = `${String(files.get(file)?.byteLength ?? 0)} bytes`;
    return `  ${part.padEnd(width)}  ${part === file ? size : `from ${printable(file)}`}`;
  });
  return [`${platform.name}${draft.label === undefined ? '' : ` ${draft.label}`}`, ...rows].join('\n');
}

/** What a file is that no credential takes, as `inspect` says it. */
async function nameLeft(name: string, { files }: Listed): Promise<string> {
  const bytes = files.get(name) ?? new Uint8Array();
  try {
    const [finding] = await findIn({ file: name, bytes, password: undefined, isListed: true });
    return `${printable(name)}: ${finding?.what ?? 'empty'}`;
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return `${printable(name)}: ${error.message.replace(`${name} `, '')}`;
  }
}

/** Never `apply`, which keeps the private key once more, in an annotation of the Secret. */
function commandsOf({ name, draft }: Planned, { paths }: Listed): string {
  const unnamable = [...draft.parts.values()].find((file) => paths.get(file)?.includes('=') === true);
  if (unnamable !== undefined)
    return `kubectl takes no path with = in it: copy ${printable(unnamable)} to a path without, and run this again.`;
  const files = [...draft.parts].map(([part, file]) => fromFile(part, paths.get(file) ?? Buffer.from(file)));
  return `kubectl create secret generic ${[name, ...files].join(' \\\n  ')}`;
}

const nextSteps = ({ out, isInPlace }: InitOptions): readonly string[] =>
  isInPlace
    ? [`paycert validate --config ${out}`]
    : [
        `kubectl create configmap paycert --from-file=paycert.yaml=${out}`,
        `When keys change, replace the Secret, and never apply it: end the first command with
  --dry-run=client --output=yaml | kubectl replace --filename=-`,
      ];
