// What a release is made from and called, read from the clone before anything is built.
import { readFileSync } from 'node:fs';
import { output } from './commands.ts';

export interface Plan {
  readonly version: string;
  /** The base image, by digest. */
  readonly base: string;
  readonly commit: string;
  /** Seconds since 1970 of the commit: the time of everything in the release that has one. */
  readonly epoch: number;
  readonly out: string;
  /** `amd64` or `arm64`: that of this machine. */
  readonly architecture: string;
  /** Where the source is published, if that is known: it is recorded. */
  readonly repository: string | undefined;
  /** More options of `buildah build`, such as a mounted `.npmrc`. */
  readonly buildOptions: readonly string[];
}

export const names = ({ version, architecture }: Pick<Plan, 'version' | 'architecture'>) => ({
  package: `paycert-${version}`,
  chart: `paycert-chart-${version}`,
  image: `paycert-image-${version}-${architecture}`,
});

const digest = /@sha256:[0-9a-f]{64}$/;

/** @throws Error in one sentence, with what to do */
export function planRelease(options: Omit<Plan, 'version' | 'commit' | 'epoch' | 'architecture'>): Plan {
  if (!digest.test(options.base))
    throw new Error(
      `The base image "${options.base}" is a tag, which may name another image tomorrow. Name it by digest: --base docker.io/library/node:24-slim@sha256:…; \`crane digest docker.io/library/node:24-slim\` prints it.`,
    );
  if (output('git', ['status', '--porcelain']) !== '')
    throw new Error(
      'The clone has changes that are not committed. A release is made from a commit: commit them, or clone.',
    );
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  return {
    ...options,
    version,
    commit: output('git', ['rev-parse', 'HEAD']),
    epoch: Number(output('git', ['log', '-1', '--format=%ct'])),
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
  };
}
