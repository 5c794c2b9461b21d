// Signs with cosign: by a key without a public log, or keyless, by the identity of the workflow that runs it.
import { mkdtempSync, rmSync } from 'node:fs';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { output, run } from './commands.ts';

/** cosign's words and environment for one kind of signature. */
interface Signer {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const password = { COSIGN_PASSWORD: process.env['COSIGN_PASSWORD'] ?? '' };

/** No certificate authority, log or time stamps: only the key counts. */
function keyed(key: string, folder: string): Signer {
  const config = join(folder, 'signing-config.json');
  const nothing = ['fulcio', 'oidc', 'rekor', 'tsa'].map((service) => `--no-default-${service}`);
  output('cosign', ['signing-config', 'create', ...nothing, '--out', config]);
  return { words: ['--key', key, '--signing-config', config], env: password };
}

/** What `use` does is signed by `key`; without one by the identity of this machine (`keyless`), or by a key that is made here and forgotten. */
export function withSigner(
  from: { key?: string; isKeyless: boolean; out: string },
  use: (signer: Signer) => void,
): void {
  if (from.isKeyless) return use({ words: [], env: {} });
  const folder = mkdtempSync(join(tmpdir(), 'paycert-key-'));
  try {
    let { key } = from;
    if (key === undefined) {
      output('cosign', ['generate-key-pair'], { cwd: folder, env: password });
      key = join(folder, 'cosign.key');
    }
    const signer = keyed(resolve(key), folder);
    run('cosign', ['public-key', '--key', key, '--outfile', join(from.out, 'cosign.pub')], { env: password });
    use(signer);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One bundle beside each file of the folder; that of the provenance speaks for every file that it names. */
export function signFiles(folder: string, { words, env }: Signer): void {
  const quiet = { env };
  for (const name of readdirSync(folder).filter((name) => name !== 'cosign.pub'))
    output(
      'cosign',
      ['sign-blob', '--yes', ...words, '--bundle', join(folder, `${name}.sigstore.json`), join(folder, name)],
      quiet,
    );
  const statement = [
    '--statement',
    join(folder, 'provenance.intoto.json'),
    '--bundle',
    join(folder, 'provenance.sigstore.json'),
  ];
  output('cosign', ['attest-blob', '--yes', ...words, ...statement], quiet);
}

interface Attestation {
  readonly type: 'slsaprovenance1' | 'cyclonedx' | 'spdxjson';
  readonly predicate: string;
}

/** In the registry, beside what `reference` names by digest; of an index, each of its images too. */
export function signPushed(reference: string, signer: Signer, options: readonly string[]): void {
  run('cosign', ['sign', '--yes', '--recursive', ...signer.words, ...options, reference], { env: signer.env });
}

export function attestPushed(
  reference: string,
  { type, predicate }: Attestation,
  signer: Signer,
  options: readonly string[],
): void {
  const words = ['attest', '--yes', '--type', type, '--predicate', predicate, ...signer.words, ...options, reference];
  run('cosign', words, { env: signer.env });
}
