// Builds bundle/: package.json, one file with everything the image runs, those beside it that few need, and what all are made of.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { bundleBom } from './bundle-bom.ts';

/**
 * Importing a built-in module as an ES module reads everything it exports, and `node:http` exports a WebSocket that is
 * loaded when it is read, with a whole HTTP client behind it: 13 MB. Asked for in this way, only what is used is loaded.
 * An import takes each name once: as a CommonJS module it would have an object of its own for each importer, with a getter
 * for everything that the module exports.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:/ }, ({ path, kind }) => ({
      path,
      namespace: kind === 'import-statement' ? 'imported' : 'required',
      sideEffects: false,
    }));
    const ask = (path: string) => `process.getBuiltinModule(${JSON.stringify(path)})`;
    bundler.onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = ${ask(path)};`,
    }));
    bundler.onLoad({ filter: /.*/, namespace: 'imported' }, ({ path }) => ({
      contents: namedExports(ask(path), path),
    }));
  },
};

/** A call that is marked as pure is left out where nobody imports the name. */
function namedExports(builtin: string, path: string): string {
  const names = Object.keys(process.getBuiltinModule(path) as object).filter((name) => /^[A-Za-z]\w*$/.test(name));
  const exports = names.map(
    (name) => `const ${name}_ = /* @__PURE__ */ pick('${name}'); export { ${name}_ as ${name} };`,
  );
  return `const builtin = ${builtin}; const pick = (name) => builtin[name]; export default builtin; ${exports.join('\n')}`;
}

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Names stay as they are, so that stack traces in logs are readable: to keep them beside short ones costs a call per closure.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'linked',
  metafile: true,
  plugins: [lazyBuiltins],
  logLevel: 'warning',
  // Packages that are CommonJS inside an ES module.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
} as const satisfies BuildOptions;
const clientNode = '@kubernetes/client-node';
const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }).version;

rmSync('bundle', { recursive: true, force: true });
mkdirSync('bundle');
cpSync('package.json', 'bundle/package.json');
const program = 'bundle/dist/cli/main.js';
const { metafile: main } = await build({
  ...shared,
  entryPoints: ['src/cli/main.ts'],
  outfile: program,
  external: [clientNode, 'undici', '@redis/client', 'aws4', 'pkcs11js'],
});
// Apart, since a process of its own runs it, beside a sidecar that uses a PKCS#11 token. The package is in one of the two images.
const { metafile: token } = await build({
  ...shared,
  entryPoints: ['src/keys/pkcs11/token-process.ts'],
  outfile: 'bundle/dist/cli/token-process.js',
  external: ['pkcs11js'],
});
// V8 keeps the source, with two bytes a character as soon as one is not ASCII. esbuild leaves those in regular expressions.
const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
writeFileSync(program, readFileSync(program, 'utf8').replaceAll(/[^\0-\x7f]/g, escape));
// Apart, as packages: larger than all the rest. A pod never loads the first; a sidecar loads the second for a proxy, the third for a Redis, and the last for AWS KMS.
const apart = await Promise.all([
  buildApart(clientNode, 'KubeConfig, loadYaml'),
  buildApart('undici', 'Pool, buildConnector'),
  buildApart('@redis/client', 'createClient'),
  buildApart('aws4', 'default'),
]);
const own = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string; license: string };
writeFileSync('bundle/bom.cdx.json', bundleBom(own, [main, token, ...apart]));

/** A package beside the program, of which only these names are used. */
async function buildApart(name: string, used: string) {
  const { metafile } = await build({
    ...shared,
    stdin: { contents: `export { ${used} } from '${name}';`, resolveDir: '.' },
    outfile: `bundle/node_modules/${name}/index.js`,
  });
  const manifest = { name, version: versionOf(name), type: 'module', main: 'index.js' };
  writeFileSync(`bundle/node_modules/${name}/package.json`, JSON.stringify(manifest));
  return metafile;
}
