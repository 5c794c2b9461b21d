// Builds bundle/: package.json and one file with everything the image runs.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('bundle', { recursive: true, force: true });
mkdirSync('bundle');
cpSync('package.json', 'bundle/package.json');
await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'bundle/dist/cli/main.js',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  // Stack traces in logs stay readable.
  keepNames: true,
  legalComments: 'linked',
  logLevel: 'warning',
  // Packages that are CommonJS inside an ES module.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
