// Every export of the package says what it is, and shows it: its examples are taken from the sources, type-checked and run.
// A function, a class and a constant have an example. So has a type that a program implements: a function, or an interface with
// methods that nothing here returns. Other types have none: where they are taken or returned is shown there.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { registerHooks } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import ts from 'typescript';
import { errorTable, startPaycert } from '../../src/index.ts';
import {
  createAlipayMaterial,
  createSecretVolume,
  createWechatpayMaterial,
  makeNotification,
} from '../../src/testing/index.ts';
import { filesOf, issue, makeAuthority, pairFiles, pem } from '../support/mtls.ts';
import { root, rootPath } from './documents.ts';

const entries = { paycert: 'src/index.ts', 'paycert/testing': 'src/testing/index.ts' } as const;

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  typeRoots: [join(rootPath, 'node_modules/@types')],
  module: ts.ModuleKind.NodeNext,
  strict: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
  paths: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, [join(rootPath, path)]])),
};

interface Exported {
  readonly name: string;
  readonly declaration: ts.Declaration;
  readonly isValue: boolean;
}

interface Example {
  /** Such as `Paycert.current`. */
  readonly of: string;
  readonly code: string;
}

const program = ts.createProgram(
  Object.values(entries).map((path) => join(rootPath, path)),
  options,
);
const checker = program.getTypeChecker();

function exportsOf(entry: string): readonly Exported[] {
  const file = program.getSourceFile(join(rootPath, entry));
  const symbol = file && checker.getSymbolAtLocation(file);
  assert.ok(symbol, entry);
  return checker.getExportsOfModule(symbol).map((exported) => {
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const [declaration] = target.declarations ?? [];
    assert.ok(declaration, exported.name);
    return { name: exported.name, declaration, isValue: (target.flags & ts.SymbolFlags.Value) !== 0 };
  });
}

/** The comment of a declaration: of a constant it is its statement's. */
const commentOf = (node: ts.Node): ts.JSDoc | undefined => ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);

const textOf = (comment: ts.JSDoc | undefined): string => ts.getTextOfJSDocComment(comment?.comment) ?? '';

const examplesIn = (of: string, node: ts.Node): readonly Example[] =>
  (commentOf(node)?.tags ?? [])
    .filter(({ tagName }) => tagName.text === 'example')
    .map(({ comment }) => ({ of, code: ts.getTextOfJSDocComment(comment) ?? '' }));

const membersOf = (node: ts.Node): readonly ts.TypeElement[] => (ts.isInterfaceDeclaration(node) ? node.members : []);

const nameOf = (member: ts.TypeElement): string => member.name?.getText() ?? '';

/** With those of an interface's members. */
const allExamples = ({ name, declaration }: Exported): readonly Example[] => [
  ...examplesIn(name, declaration),
  ...membersOf(declaration).flatMap((member) => examplesIn(`${name}.${nameOf(member)}`, member)),
];

/** The names of types that functions and methods return. */
function returnedNames(all: readonly Exported[]): ReadonlySet<string> {
  const names = all.flatMap(({ declaration }) => {
    const signatures = [declaration, ...membersOf(declaration)].filter(
      (node): node is ts.FunctionDeclaration | ts.MethodSignature =>
        ts.isFunctionDeclaration(node) || ts.isMethodSignature(node),
    );
    return signatures.flatMap(({ type }) => type?.getText().match(/\w+/g) ?? []);
  });
  return new Set(names);
}

function isImplemented({ name, declaration }: Exported, returned: ReadonlySet<string>): boolean {
  if (ts.isTypeAliasDeclaration(declaration)) return ts.isFunctionTypeNode(declaration.type);
  return !returned.has(name) && membersOf(declaration).some((member) => ts.isMethodSignature(member));
}

const units = /Milliseconds$|Days$|Bytes$|^(?:seconds|generation|status|modulusLength)$/;

describe('an export of the package', () => {
  for (const [entry, path] of Object.entries(entries)) {
    const all = exportsOf(path);
    const returned = returnedNames(all);
    for (const exported of all) {
      const { name, declaration, isValue } = exported;
      it(`says what it is: ${name} of ${entry}`, () => {
        assert.match(textOf(commentOf(declaration)), /^[^]{15,}[.`:]$/, 'a docstring of whole sentences');
        for (const member of membersOf(declaration)) {
          const text = textOf(commentOf(member));
          const at = `${name}.${nameOf(member)}`;
          if (ts.isMethodSignature(member)) assert.notEqual(text, '', `${at} says what it does`);
          const isNumber = ts.isPropertySignature(member) && member.type?.getText() === 'number';
          if (isNumber && !units.test(nameOf(member))) assert.notEqual(text, '', `${at} says its unit`);
        }
      });

      it(`names errors that exist: ${name} of ${entry}`, () => {
        const comments = [declaration, ...membersOf(declaration)].map((node) => commentOf(node)?.getText() ?? '');
        const thrown = comments.flatMap((text) => text.match(/@throws PaycertError[^]*?(?=@|\*\/)/g) ?? []);
        const codes = thrown.flatMap((text) =>
          [...text.matchAll(/`([a-z0-9]+(?:-[a-z0-9]+)+)`/g)].map(([, code]) => code),
        );
        for (const code of codes) assert.ok(Object.hasOwn(errorTable, code ?? ''), code);
        if (thrown.length > 0)
          assert.ok(codes.length > 0 || /as `|kind/.test(thrown.join()), 'codes, kinds or a function');
      });

      if (isValue || isImplemented(exported, returned))
        it(`has an example: ${name} of ${entry}`, () => assert.ok(allExamples(exported).length > 0));
    }
  }
});

describe('the package comment', () => {
  for (const [entry, path] of Object.entries(entries))
    it(`of ${entry} explains the domain before the first import`, () => {
      const text = program.getSourceFile(join(rootPath, path))?.text ?? '';
      const comment = /^\/\/[^\n]*\n\n(\/\*\*\n[^]*?@module\n \*\/)\n\nimport /.exec(text)?.[1];
      assert.ok(comment, 'a comment above the first import, with @module');
      if (entry === 'paycert') assert.ok(comment.split('\n').length <= 42, 'it is 40 lines at most');
    });
});

const examples = Object.values(entries).flatMap((path) => exportsOf(path).flatMap(allExamples));

/** What the examples speak of without making it. */
const given = `import type { Paycert } from 'paycert';
import type { AlipayMaterial, PlatformMessage, WechatpayMaterial } from 'paycert/testing';
interface Given {
  readonly paycert: Paycert;
  readonly posted: PlatformMessage;
  readonly wechatpay: WechatpayMaterial;
  readonly alipay: AlipayMaterial;
}
export const { paycert, posted, wechatpay, alipay } = (globalThis as unknown as { given: Given }).given;
`;
const givenNames = ['paycert', 'posted', 'wechatpay', 'alipay'];

/** The addresses of an example, as they are here. */
interface Places {
  readonly wechatpay: string;
  readonly bank: string;
  readonly url: string;
  readonly empty: string;
}

function complete(code: string, { wechatpay, bank, url, empty }: Places): string {
  const isDeclared = (name: string) => new RegExp(`(?:const|using) ${name}\\b`).test(code);
  const isUsed = (name: string) => new RegExp(`(?<!['./])\\b${name}(?:[.),;]| })`).test(code);
  const imported = givenNames.filter((name) => isUsed(name) && !isDeclared(name));
  return [
    ...(imported.length > 0 ? [`import { ${imported.join(', ')} } from './given.ts';`] : []),
    ...(/\bdirectory\b/.test(code) ? [`const directory = ${JSON.stringify(empty)};`] : []),
    code
      .replaceAll('/etc/paycert/wechat-main', wechatpay)
      .replaceAll('/etc/paycert/bank', bank)
      .replaceAll('https://api.bank.example/', url),
    'export {};',
  ].join('\n');
}

/** What each line that prints is said to print; undefined where it is not said. */
const expectations = (code: string): readonly (string | undefined)[] =>
  [...code.matchAll(/console\.log\(.*\);(?: \/\/ → (.*))?$/gm)].map(([, expected]) => expected);

describe('the examples of the exports', { timeout: 900_000 }, () => {
  let home = '';
  const files = examples.map((example, index) => ({ ...example, file: `example-${index}.ts` }));
  const closing: (() => Promise<unknown>)[] = [];
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier in entries
        ? { url: new URL(entries[specifier as keyof typeof entries], root).href, shortCircuit: true }
        : next(specifier, context),
  });

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'paycert-examples-'));
    closing.push(() => rm(home, { recursive: true }));
    const authority = await makeAuthority();
    const own = await issue(authority, 'bank', { hostNames: ['localhost'] });
    const tls = { key: pem(own.privateKey), cert: own.certificate, ca: authority.certificate, requestCert: true };
    const server = createServer({ ...tls, rejectUnauthorized: true }, (_, response) => response.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    closing.push(async () => server.close());
    const material = await createWechatpayMaterial({ merchantId: '1900000001' });
    const shop = await issue(authority, 'shop', { hostNames: ['localhost'] });
    const [wechatpay, bank] = [join(home, 'wechat-main'), join(home, 'bank')];
    await createSecretVolume(wechatpay, material.files);
    await createSecretVolume(bank, filesOf({ ...pairFiles(shop), 'ca.crt': authority.certificate }));
    const provider = { wechatpay: { merchantId: '1900000001' } };
    const paycert = await startPaycert([
      { name: 'wechat-main', required: true, provider, source: { files: { path: wechatpay } } },
      { name: 'bank', required: true, provider: { mtls: {} }, source: { files: { path: bank } } },
    ]);
    closing.push(() => paycert.stop());
    const [platformKey] = material.platformKeys;
    assert.ok(platformKey);
    const resource = { out_trade_no: '1001' };
    const posted = makeNotification({ platformKey, apiV3Key: material.apiV3Key, resource });
    const alipay = await createAlipayMaterial({ appId: '2021000000000000' });
    Object.assign(globalThis, { given: { paycert, posted, wechatpay: material, alipay } });
    await symlink(join(rootPath, 'node_modules'), join(home, 'node_modules'));
    await writeFile(join(home, 'package.json'), '{ "type": "module" }');
    await writeFile(join(home, 'given.ts'), given);
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    for (const { file, code } of files) {
      const empty = join(home, `${file}.d`);
      await mkdir(empty);
      await writeFile(join(home, file), complete(code, { wechatpay, bank, url, empty }));
    }
  });
  after(async () => {
    hooks.deregister();
    for (const close of closing.toReversed()) await close();
  });

  it('compile, each as a file of its own', () => {
    const names = files.map(({ file }) => join(home, file));
    const checked = ts.createProgram(names, options, undefined, program);
    const problems = names.flatMap((name) => {
      const source = checked.getSourceFile(name);
      return [...checked.getSyntacticDiagnostics(source), ...checked.getSemanticDiagnostics(source)].map(
        ({ messageText, start = 0 }) => {
          const line = source?.text.slice(0, start).split('\n').length ?? 0;
          const { of } = files[names.indexOf(name)] ?? {};
          return `${of ?? ''}, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
        },
      );
    });
    assert.deepEqual(problems, []);
  });

  for (const { of, file, code } of files)
    it(`runs, and prints what it says: ${of}`, async (t) => {
      const printed: string[] = [];
      t.mock.method(console, 'log', (...values: unknown[]) => void printed.push(format(...values)));
      await import(pathToFileURL(join(home, file)).href);
      t.mock.reset();
      const expected = expectations(code);
      assert.equal(printed.length, expected.length);
      assert.deepEqual(
        printed.map((text, index) => (expected[index] === undefined ? undefined : text)),
        expected,
      );
    });
});
