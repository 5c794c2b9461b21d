// The completion scripts parse in their shells, and complete what the table of commands says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { completionScript, shells } from '../../src/cli/completion.ts';

const isInstalled = (shell: string): boolean => spawnSync(shell, ['--version']).error === undefined;

/** What bash offers after these words. */
function complete(...words: readonly string[]): string[] {
  const script = `${completionScript('bash', commands)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_paycert; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

describe('shell completion', () => {
  for (const shell of shells) {
    it(`for ${shell} parses in it`, { skip: !isInstalled(shell) && `there is no ${shell}` }, () => {
      const { status, stderr } = spawnSync(shell, ['-n'], {
        input: completionScript(shell, commands),
        encoding: 'utf8',
      });
      assert.deepEqual([status, stderr], [0, '']);
    });

    it(`for ${shell} knows every command and option`, () => {
      const script = completionScript(shell, commands);
      for (const [name, { options }] of Object.entries(commands)) {
        assert.ok(script.includes(name));
        for (const option of Object.keys(options)) assert.ok(script.includes(option), option);
      }
    });
  }

  it('offers commands, then the options of the command', () => {
    assert.deepEqual(complete('paycert', 's'), ['sidecar', 'sign', 'status']);
    assert.deepEqual(complete('paycert', 'sidecar', '--'), ['--config', '--config-env', '--drain', '--help']);
  });

  it('offers the values of an option that has a closed set of them', () => {
    assert.deepEqual(complete('paycert', 'validate', '--output', ''), ['text', 'json']);
  });

  it('leaves everything else to file names', () => {
    assert.deepEqual(complete('paycert', 'inspect', ''), []);
    assert.deepEqual(complete('paycert', 'unknown', '--'), []);
  });

  it('keeps texts with quotes whole', () => {
    const quoted = { odd: { ...commands['status']!, summary: "It's \\ odd" } };
    assert.ok(completionScript('zsh', quoted).includes("'odd:It'\\''s \\ odd'"));
    assert.ok(completionScript('fish', quoted).includes("-d 'It\\'s \\\\ odd'"));
  });
});
