// What is printed after an install: its commands do what they say when they are pasted.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDocument } from 'yaml';
import { helms, lacks, type Manifest, notes, run } from './helm.ts';

for (const helm of helms) {
  describe(`the notes, with ${helm}`, { skip: lacks(helm), timeout: 900_000 }, () => {
    it('hand kubectl one PaymentCredential, and end where they say', async () => {
      const text = await notes({ helm });
      const [, opening = '', body = '', closing] = /^(kubectl apply -f - <<'EOF')\n([\s\S]*?)^(EOF)$/m.exec(text) ?? [];
      assert.equal(closing, 'EOF', text);
      const document = parseDocument(body);
      assert.deepEqual(document.errors, []);
      const { apiVersion, kind } = document.toJSON() as Manifest;
      assert.deepEqual([apiVersion, kind], ['paycert.dev/v1alpha1', 'PaymentCredential']);

      const pasted = [opening.replace('kubectl apply -f -', 'cat'), `${body}EOF`, 'echo after'].join('\n');
      assert.equal((await run('sh', ['-s'], pasted)).stdout, `${body}after\n`);
    });
  });
}
