// The provenance of a release: what was made from which commit, base image and lock file (in-toto Statement, SLSA v1).
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { output, sha256 } from './commands.ts';
import type { Plan } from './plan.ts';

/** Named by its text: who reads a provenance finds there how to do it again. */
const buildType = 'https://github.com/paycert/paycert/blob/main/RELEASING.md';

interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

/** A file by its digest, and an image by that of its manifest too, which registries know it by. */
function subjects(folder: string, name: string): Subject[] {
  const path = join(folder, name);
  const file = { name, digest: { sha256: sha256(path) } };
  if (!name.endsWith('.oci.tar')) return [file];
  const index = JSON.parse(output('tar', ['--extract', '--to-stdout', '--file', path, 'index.json'])) as {
    manifests: [{ digest: string }];
  };
  const [{ digest }] = index.manifests;
  const manifest = digest.replace('sha256:', '');
  return [file, { name: name.replace('.oci.tar', ''), digest: { sha256: manifest } }];
}

export function provenanceOf(plan: Plan, builder: string): string {
  const [name = '', baseDigest = ''] = plan.base.split('@sha256:');
  const predicate = {
    buildDefinition: {
      buildType,
      externalParameters: { version: plan.version, base: plan.base, commit: plan.commit },
      internalParameters: { architecture: plan.architecture, sourceDateEpoch: plan.epoch },
      resolvedDependencies: [
        {
          name: 'source',
          ...(plan.repository !== undefined && { uri: `git+${plan.repository}@${plan.commit}` }),
          digest: { gitCommit: plan.commit },
        },
        { name: 'base image', uri: name, digest: { sha256: baseDigest } },
        { name: 'package-lock.json', digest: { sha256: sha256('package-lock.json') } },
      ],
    },
    runDetails: { builder: { id: builder } },
  };
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: readdirSync(plan.out)
      .sort()
      .flatMap((file) => subjects(plan.out, file)),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate,
  };
  return `${JSON.stringify(statement, undefined, 2)}\n`;
}
