#!/usr/bin/env node
// The command `paycert`, in a clone and in the package: under a Node that is too old it says so and exits 78, before it loads anything else.
// @ts-check
import process from 'node:process';
import { nodeFault, nodeHint } from '../oldest-node.js';

const fault = nodeFault(process.versions.node);
if (fault === undefined) await import('./main.ts');
else {
  process.stderr.write(`error: ${fault} (node-too-old)\nhint: ${nodeHint}\n`);
  process.exitCode = 78;
}
