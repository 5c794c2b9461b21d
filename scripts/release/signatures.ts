// Signs with cosign: by a key without a public log, or keyless, by the identity of the workflow that runs it.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { output } from './commands.ts';

/** cosign's words and environment for one kind of signature. */
export interface Signer {
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

/** Neither: a key that is made here and forgotten. */
export interface SigningKey {
  /** File of a key, as `cosign generate-key-pair` makes it. */
  readonly key?: string;
  readonly isKeyless: boolean;
}

/** What `use` does is signed; the public half of a key is left in `out`. @throws Error */
export function withSigner({ key, isKeyless }: SigningKey, out: string, use: (signer: Signer) => void): void {
  if (isKeyless) {
    use({ words: [], env: {} });
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'paycert-key-'));
  try {
    if (key === undefined) output('cosign', ['generate-key-pair'], { cwd: folder, env: password });
    const file = resolve(key ?? join(folder, 'cosign.key'));
    const signer = keyed(file, folder);
    output('cosign', ['public-key', '--key', file, '--outfile', join(out, 'cosign.pub')], { env: password });
    use(signer);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One bundle beside each file of the folder; that of the provenance speaks for every file that it names. */
export function signFiles(folder: string, { words, env }: Signer): void {
  for (const name of readdirSync(folder).filter((name) => name !== 'cosign.pub'))
    output(
      'cosign',
      ['sign-blob', '--yes', ...words, '--bundle', join(folder, `${name}.sigstore.json`), join(folder, name)],
      { env },
    );
  const statement = [
    '--statement',
    join(folder, 'provenance.intoto.json'),
    '--bundle',
    join(folder, 'provenance.sigstore.json'),
  ];
  output('cosign', ['attest-blob', '--yes', ...words, ...statement], { env });
}

interface Attestation {
  readonly type: 'slsaprovenance1' | 'cyclonedx' | 'spdxjson';
  readonly predicate: string;
}

/** In the registry, beside what `reference` names by digest; of an index, each of its images too. */
export function signPushed(reference: string, { words, env }: Signer): void {
  output('cosign', ['sign', '--yes', '--recursive', ...words, reference], { env });
}

export function attestPushed(reference: string, { type, predicate }: Attestation, { words, env }: Signer): void {
  output('cosign', ['attest', '--yes', '--type', type, '--predicate', predicate, ...words, reference], { env });
}
