#!/usr/bin/env node
// The command `paycert`: under a Node that is too old it says so and exits 78, before it loads anything else.
import { PaycertError } from '../errors.ts';

try {
  await import('../node-version.ts');
  await import('./main.ts');
} catch (error) {
  if (!(error instanceof PaycertError) || error.code !== 'node-too-old') throw error;
  process.stderr.write(`error: ${error.message} (${error.code})\nhint: ${error.hint}\n`);
  process.exitCode = 78;
}
