// docs/reconcile.md: its CronJob runs a command that exists, as unprivileged as a payment namespace asks for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { parseWords } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { codeBlocks } from './documents.ts';

interface CronJob {
  readonly spec: {
    readonly concurrencyPolicy: string;
    readonly jobTemplate: {
      readonly spec: { readonly template: { readonly spec: PodSpec } };
    };
  };
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly containers: readonly { readonly args: readonly string[]; readonly securityContext: object }[];
}

describe('docs/reconcile.md', () => {
  it('has a CronJob whose command is one, without privileges and without a token', () => {
    const block = codeBlocks('docs/reconcile.md').find(({ info }) => info === 'yaml') ?? assert.fail();
    const { spec } = parse(block.text) as CronJob;
    assert.equal(spec.concurrencyPolicy, 'Forbid');
    const pod = spec.jobTemplate.spec.template.spec;
    assert.equal(pod.automountServiceAccountToken, false);
    assert.ok('runAsNonRoot' in pod.securityContext);
    const [{ args: [name = '', ...words], securityContext } = assert.fail()] = pod.containers;
    assert.deepEqual(securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }); // prettier-ignore
    const { values, positionals } = parseWords(commands[name] ?? assert.fail(name), words);
    assert.deepEqual([positionals, values['for']], [['wechat-main'], '9m']);
  });
});
