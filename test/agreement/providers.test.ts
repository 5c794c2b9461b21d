// Every provider has taken every step of the recipe in CONTRIBUTING.md; the step that is missing is named.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ProviderSchema } from '../../src/config/schema/provider.ts';
import { errorTable } from '../../src/errors.ts';
import type { Platform } from '../../src/providers/platform.ts';
import { platforms } from '../../src/providers/registry.ts';
import { languages } from '../support/clients.ts';
import { providerIds } from '../support/provider-sidecar.ts';
import { protocols, protocolsOf } from '../vectors/kinds.ts';
import { blocksUnder, grouped, pageOf, read, root, sections } from './documents.ts';

const exists = (path: string): boolean => existsSync(new URL(path, root));

const registered: Readonly<Record<string, Platform>> = platforms;
const platformOf = (id: string): Platform | undefined => (Object.hasOwn(registered, id) ? registered[id] : undefined);

/** Its id in kebab case, as for its page. */
const folderOf = (id: string): string => id.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const filesIn = (folder: string): string[] =>
  exists(folder)
    ? readdirSync(new URL(folder, root), { recursive: true }).map((name) => `${folder}/${String(name)}`)
    : [];

const documentedErrors = new Set(grouped('docs/errors.md', 3).map(({ title }) => title));

function hasErrors(id: string): boolean {
  const sources = filesIn(`src/providers/${folderOf(id)}`).filter((path) => path.endsWith('.ts'));
  const words = sources.flatMap((path) => [...read(path).matchAll(/'([a-z0-9-]+)'/g)].map(([, word = '']) => word));
  const codes = words.filter((word) => Object.hasOwn(errorTable, word));
  return codes.length > 0 && codes.every((code) => documentedErrors.has(code));
}

function hasVectors(id: string): boolean {
  const own = Object.hasOwn(protocolsOf, id) ? protocolsOf[id] : undefined;
  if (own === undefined) return false;
  if (own.length === 0) return exists(pageOf(id)) && /^Known answers: none/m.test(read(pageOf(id)));
  return own.every((protocol) => Object.hasOwn(protocols, protocol));
}

/** It signs no messages, so that there is nothing to exchange: its page says what other languages do instead. */
const signsNothing: readonly string[] = ['mtls'];

function hasPage(id: string): boolean {
  if (!exists(pageOf(id))) return false;
  return ['Material', 'From a program'].every((title) =>
    sections(pageOf(id)).some((section) => section.title === title),
  );
}

/** Every call in the shell, and a whole exchange in each language. What runs them is provider-examples.test.ts. */
function hasExamples(id: string): boolean {
  if (!exists(pageOf(id))) return false;
  if (signsNothing.includes(id)) return /^Examples in other languages: none/m.test(read(pageOf(id)));
  const programs = blocksUnder(pageOf(id), 'From a program').map(({ info }) => info);
  const calls = blocksUnder(pageOf(id), 'Every call in curl').map(({ info }) => info);
  return calls.includes('sh') && languages.every(({ info }) => programs.includes(info));
}

/** What the platform shows is worth nothing to people if `paycert explain` does not read it. */
function hasRefusals(id: string): boolean {
  const platform = platformOf(id);
  if (platform === undefined) return false;
  return exists(`src/providers/${folderOf(id)}/refusal.ts`) === (platform.refusals !== undefined);
}

const isDescribed = (option: object): boolean => 'description' in option;

/** The steps, by their names in the recipe and in its order. */
const steps: Readonly<Record<string, (id: string) => boolean>> = {
  Options: (id) => Object.values(platformOf(id)?.options.properties ?? { none: {} }).every(isDescribed),
  Provider: (id) => filesIn(`src/providers/${folderOf(id)}`).length > 0,
  Name: (id) => platformOf(id)?.id === id && Object.hasOwn(ProviderSchema.properties, id),
  Tests: (id) => filesIn(`test/providers/${folderOf(id)}`).some((path) => path.endsWith('.test.ts')),
  Vectors: hasVectors,
  Errors: hasErrors,
  Page: hasPage,
  Examples: hasExamples,
  'Credential for tests': (id) => providerIds.includes(id),
  README: (id) => ['README.md', 'README.zh-CN.md'].every((path) => read(path).includes(`](${pageOf(id)})`)),
  Refusals: hasRefusals,
};

const missingSteps = (id: string): string[] =>
  Object.entries(steps).flatMap(([step, isTaken]) => (isTaken(id) ? [] : [step]));

describe('the recipe for a provider', () => {
  for (const id of Object.keys(ProviderSchema.properties))
    it(`has been followed for ${id}`, () => {
      assert.deepEqual(missingSteps(id), [], `see "Add a provider" in CONTRIBUTING.md`);
    });

  it('names every step for a provider that does not exist', () => {
    assert.deepEqual(missingSteps('nobody'), Object.keys(steps));
  });

  it('in CONTRIBUTING.md has these steps, in this order', () => {
    const recipe = sections('CONTRIBUTING.md').find(({ title }) => title === 'Add a provider');
    const titles = [...(recipe?.body ?? '').matchAll(/^\d+\. \*\*([^*]+)\*\*:/gm)].map(([, title]) => title);
    assert.deepEqual(titles, Object.keys(steps));
  });
});
