// Which files of a directory are an application's at Alipay, and which application it is: as the console and the key tool leave them.
import { PaycertError } from '../../errors.ts';
import type { Draft, Told } from '../platform.ts';
import { findFiles, type Found, isPair, isSecretKey, longest, namedAlike } from '../shared/found.ts';
import { appIdOf } from '../shared/holder.ts';
import { names } from './parts.ts';
import { environmentOf } from './trust.ts';

type Files = ReadonlyMap<string, Uint8Array>;

/** An application's certificate is named `PARTNER-APPID`. */
const appOf = ({ certificates: [leaf] }: Found): string | undefined =>
  leaf && environmentOf(leaf) !== undefined && !leaf.ca ? appIdOf(leaf) : undefined;

/** The one that requests name: of several applications' certificates, that of the application that people name. */
function findOwn(
  found: readonly Found[],
  { appId }: Told,
): { readonly appId: string; readonly own: readonly Found[] } | undefined {
  const own = found.filter((one) => appOf(one) !== undefined);
  // Another application's certificate, such as one in the place of Alipay's, does not make it unclear whose the key is.
  const keyed = own.filter(({ certificates: [leaf] }) =>
    found.some(({ privateKey }) => isPair(privateKey, leaf?.publicKey)),
  );
  const apps = new Set((keyed.length > 0 ? keyed : own).map(appOf));
  if (appId === undefined && apps.size > 1)
    throw new PaycertError(
      'usage',
      `there are certificates of the apps ${[...apps].join(', ')}: name one with --app-id`,
    );
  if (appId !== undefined && apps.size > 0 && !apps.has(appId))
    throw new PaycertError(
      'usage',
      `the certificates there are of ${[...apps].join(', ')}, not of ${appId}: correct --app-id, or leave it out`,
    );
  const [only] = apps;
  const chosen = appId ?? only;
  return chosen === undefined ? undefined : { appId: chosen, own: own.filter((one) => appOf(one) === chosen) };
}

/** Under the name that it has, where a Secret's key may have it. */
const kept = ({ name }: Found, pattern: RegExp, otherwise: string): readonly [string, string] => [
  pattern.test(name) && isSecretKey(name) ? name : otherwise,
  name,
];

export async function draft(files: Files, told: Told): Promise<Draft | undefined> {
  const found = findFiles(files);
  const isRoots = ({ name, certificates }: Found) => names.roots.test(name) && certificates.length > 0;
  const roots = found.find(isRoots);
  const app = findOwn(found, told);
  const platform = found.filter(
    (one) =>
      one !== roots &&
      appOf(one) === undefined &&
      one.certificates[0] !== undefined &&
      environmentOf(one.certificates[0]) !== undefined &&
      !one.certificates[0].ca,
  );
  const key = findKey(found, app?.own ?? [], told);
  const isOurs =
    [roots, ...(app?.own ?? []), ...platform].some((one) => one !== undefined) ||
    (key !== undefined && (names.privateKey.test(key.name) || told.appId !== undefined));
  if (!isOurs) return undefined;
  const appId = app?.appId ?? found.flatMap(({ name }) => /^appCertPublicKey_(\w+)\./.exec(name)?.[1] ?? [])[0];
  if (appId === undefined)
    throw new PaycertError('usage', 'no application certificate says which application this is: give --app-id');
  const [leaf] = longest(app?.own ?? [])?.certificates ?? [];
  const isSandbox = leaf !== undefined && environmentOf(leaf) === 'sandbox';
  // Whatever is in the place of its certificate: with another's there, or a damaged one, the rules say what is wrong.
  const isNamed = found.some(({ name }) => names.appCertificate.test(name));
  const mode = (app?.own.length ?? 0) > 0 || isNamed ? 'certificate' : 'key';
  const aes = namedAlike(files, 'aes_key');
  return {
    options: { appId, mode, ...(isSandbox && { gateway: 'sandbox' }) },
    label: appId,
    parts: new Map([
      ...(key ? [kept(key, names.privateKey, 'app_private_key.txt')] : []),
      ...(mode === 'certificate' ? certificateParts(app?.own ?? [], platform, roots) : publicKeyParts(found)),
      ...(aes === undefined ? [] : [['aes_key', aes] as const]),
    ]),
  };
}

/** The key of the certificate; without one, the key under a name of Alipay's. */
const findKey = (found: readonly Found[], own: readonly Found[], told: Told): Found | undefined =>
  found.find(({ privateKey }) => own.some(({ certificates: [leaf] }) => isPair(privateKey, leaf?.publicKey))) ??
  found.find(({ name, privateKey }) => privateKey !== undefined && names.privateKey.test(name)) ??
  (told.appId === undefined ? undefined : only(found.filter(({ privateKey }) => privateKey !== undefined)));

/** Its name may have been lost on the way, as in an archive of another code page. */
const only = <T>(all: readonly T[]): T | undefined => (all.length === 1 ? all[0] : undefined);

const numbered = (name: string, index: number): string =>
  index === 0 ? name : name.replace('.crt', `_${String(index + 1)}.crt`);

const certificateParts = (own: readonly Found[], platform: readonly Found[], roots: Found | undefined) => [
  ...own.map((one, index) => kept(one, names.appCertificate, numbered('appCertPublicKey.crt', index))),
  ...platform.map((one, index) => kept(one, names.alipayCertificate, numbered('alipayCertPublicKey_RSA2.crt', index))),
  ...(roots ? [kept(roots, names.roots, 'alipayRootCert.crt')] : []),
];

/** Not the application's own public key, which the key tool leaves there too: that one is for the console. */
function publicKeyParts(found: readonly Found[]) {
  const isOwn = (one: Found) => found.some(({ privateKey }) => isPair(privateKey, one.publicKey));
  const others = found.filter((one) => one.publicKey !== undefined && !isOwn(one));
  const platform =
    others.find(({ name }) => names.publicKey.test(name)) ?? others.find(({ name }) => !/^应用公钥/.test(name));
  return platform ? [kept(platform, names.publicKey, 'alipay_public_key.txt')] : [];
}
