// Runs the tests that an adapter has in its own language, with that language's tools, against the sidecar and doubles of this process.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { root } from '../agreement/documents.ts';
import { runCommand } from './clients.ts';

export const adapterFolder = (language: string): string => fileURLToPath(new URL(`adapters/${language}`, root));

/** Kept beside the packages of npm, and no part of the project. */
export const cacheFolder = (language: string): string =>
  fileURLToPath(new URL(`node_modules/.cache/adapters/${language}`, root));

/** Why tests of a language are skipped here, or `false`. */
export function missing(...tools: readonly (readonly [tool: string, ...words: string[]])[]): string | false {
  const absent = tools.filter(([tool, ...words]) => spawnSync(tool, words).error !== undefined);
  return absent.length > 0 && `no ${absent.map(([tool]) => tool).join(', no ')} here`;
}

/**
 * `prepare` fetches from the language's registry, and does nothing else; where that gives nothing within five minutes, the tests are
 * skipped, and say so.
 */
export async function runAdapterTests(
  t: TestContext,
  language: string,
  { prepare, run }: { readonly prepare: string; readonly run: string },
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = adapterFolder(language);
  const prepared = await runCommand(folder, `timeout 300 bash -c ${JSON.stringify(prepare)}`, {});
  if (prepared.code !== 0) {
    t.skip(`the registry gave no SDK: ${(prepared.stderr || prepared.stdout).slice(-300)}`);
    return;
  }
  const { code, stdout, stderr } = await runCommand(folder, run, env);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  for (const line of `${stdout}\n${stderr}`.split('\n'))
    if (/^(?:Ran|ok|---|\[INFO\] Tests run)/.test(line)) t.diagnostic(line);
}
