// Material that is costly to read, written by the owner of one credential while another one signs.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWechatpayMaterial, type Files, toPkcs8Pem } from '../../../src/testing/index.ts';
import { filesOf } from '../../support/directories.ts';
import { keyPairs } from '../../support/key-pairs.ts';
import { issue, makeAuthority, pairFiles } from '../../support/mtls.ts';
import { type Attack, type Attempt, measureAll, type Report } from '../attack.ts';
import { makeAttacked, merchantId, wechatpayFiles } from '../material.ts';
import { der, makeList, subjectOf } from '../revocation-list.ts';
import { startSidecar, useDirectory } from '../target.ts';
import { untilJudged, verdicts } from '../verdicts.ts';

/** Octet strings within each other, around so many bytes. */
function nested(levels: number, bytes: number): Buffer {
  let content: Buffer = Buffer.alloc(bytes, 0x05);
  for (let level = 0; level < levels; level += 1) content = der(0x24, der(0x04, content));
  return der(0x30, content);
}

interface Kind {
  readonly name: string;
  readonly provider: string;
  readonly good: () => Promise<Files>;
  /** By name: what is added to the good files, or takes their place. */
  readonly spoiled: Readonly<Record<string, () => Promise<Readonly<Record<string, Uint8Array>>>>>;
}

async function makeKinds(directory: string): Promise<readonly Kind[]> {
  const material = await createWechatpayMaterial({ merchantId, now: new Date() });
  const key = toPkcs8Pem(material.merchant.privateKey);
  const pkcs12 = async (rounds: number): Promise<Buffer> => {
    const [keyFile, certificateFile] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
    await Promise.all([writeFile(keyFile, key), writeFile(certificateFile, material.merchant.certificate)]);
    const words = ['pkcs12', '-export', '-inkey', keyFile, '-in', certificateFile, '-passout', `pass:${merchantId}`];
    return execFileSync('openssl', [...words, '-iter', String(rounds)]);
  };
  const withPkcs12 = async (bytes: Buffer) => ({ 'apiclient_cert.p12': bytes });
  const certificates = Array.from({ length: 600 }, () => material.merchant.certificate).join('');
  const [authorityKey] = await keyPairs();
  const authority = await makeAuthority();
  const pair = { ...pairFiles(await issue(authority, 'c')), 'ca.crt': authority.certificate };
  const name = subjectOf(authority.certificate);
  const listOf = async (entries: number, isSigned: boolean) => ({
    'ca.crl': makeList({ entries, name, key: isSigned ? authorityKey!.privateKey : material.merchant.privateKey }),
  });
  return [
    {
      name: 'wechat',
      provider: `wechatpay: { merchantId: "${merchantId}" }`,
      good: () => Promise.resolve(material.files),
      spoiled: {
        'a .p12 of 900 KB, 50 levels': () => withPkcs12(nested(50, 900_000)),
        'a .p12 of 900 KB, 250 levels': () => withPkcs12(nested(250, 900_000)),
        'a .p12 of 120 KB, 30 levels': () => withPkcs12(nested(30, 120_000)),
        'a .p12 of 60,000 rounds each': async () => withPkcs12(await pkcs12(60_000)),
        'a .p12 of two million rounds': async () => withPkcs12(await pkcs12(2_000_000)),
        '600 certificates × 600 to trust': () =>
          Promise.resolve({ 'wechatpay_many.pem': Buffer.from(certificates), 'trust.pem': Buffer.from(certificates) }),
        'a key of a megabyte': () => Promise.resolve({ 'apiclient_key.pem': Buffer.from(key.repeat(500)) }),
        'blanks for a key': () => Promise.resolve({ 'apiclient_key.pem': Buffer.alloc(1_000_000, ' ') }),
        'dashes for a key': () => Promise.resolve({ 'apiclient_key.pem': Buffer.alloc(1_000_000, '-') }),
        'armour without an end': () =>
          Promise.resolve({ 'apiclient_key.pem': Buffer.from('-----BEGIN PRIVATE KEY-----\n'.repeat(30_000)) }),
      },
    },
    {
      name: 'bank',
      provider: 'mtls: {}',
      good: () => Promise.resolve(filesOf(pair)),
      spoiled: {
        'a list of 3 MB that nobody signed': () => listOf(90_000, false),
        'a list of 3 MB': () => listOf(90_000, true),
        '600 authorities': () => Promise.resolve({ 'ca.crt': Buffer.from(certificates) }),
      },
    },
  ];
}

const pem = ['apiclient_key.pem', 'apiclient_cert.pem'];

async function run(report: Report): Promise<void> {
  await useDirectory(async (directory) => {
    const provider = `wechatpay: { merchantId: "${merchantId}" }`;
    const main = await makeAttacked(directory, 'main', provider, wechatpayFiles().next);
    for (const kind of await makeKinds(directory)) {
      const owner = await makeAttacked(directory, kind.name, kind.provider, kind.good);
      const target = await startSidecar(directory, {
        credentials: [main.yaml, owner.yaml],
        names: ['main', kind.name],
      });
      try {
        const attempts = Object.entries(kind.spoiled).map(([what, make]): Attempt => [
          `owners: ${what}`,
          async () => {
            const before = await verdicts(target, kind.name);
            const added = Object.entries(await make());
            const files = new Map([...(await kind.good()), ...added]);
            // Beside PEM it would not be read.
            if (files.has('apiclient_cert.p12')) for (const name of pem) files.delete(name);
            await owner.volume.write(files);
            await untilJudged(target, kind.name, before);
          },
        ]);
        await measureAll({ target, directory, credential: 'main' }, attempts, report);
      } finally {
        await target.stop();
      }
    }
  });
}

export const owners: Attack = { section: 6, name: 'material of one owner', isQuick: true, run };
