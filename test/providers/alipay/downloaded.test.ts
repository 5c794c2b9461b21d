// What Alipay hands out for an SN: which responses hold a certificate, and over which links one leads to a root.
import 'reflect-metadata'; // must come first: @peculiar/x509 looks for it while it is imported
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { X509Certificate as Written, X509CertificateGenerator } from '@peculiar/x509';
import { certificateBySerial } from '../../../src/providers/alipay/downloaded.ts';
import { serialOf } from '../../../src/providers/alipay/serials.ts';
import { createAuthority } from '../../../src/testing/authority.ts';
import { generateKeyPair } from '../../../src/testing/key-pair.ts';
import type { Files } from '../../../src/testing/secret-volume.ts';
import { now } from '../../support/alipay.ts';

const day = 86_400_000;
const member = 'alipay_open_app_alipaycert_download_response';
const names = { commonName: '支付宝(中国)网络技术有限公司-2088000000000000', organization: '支付宝' };

const respond = (text: string, status = 200) =>
  certificateBySerial.open({ host: 'openapi.alipay.com', status, headers: {}, body: Buffer.from(text) });
const responseOf = (node: object) => JSON.stringify({ [member]: node, sign: 'x' });
const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'no error';
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
};

/** A root, an authority that it has certified (with extensions or without), and what that has issued for Alipay. */
async function makeChain(isAuthority: boolean) {
  const keyPair = await generateKeyPair();
  const root = await createAuthority({ now, commonName: 'Ant Financial Root R1', organization: 'Ant Financial', keyPair }); // prettier-ignore
  const ownPair = await generateKeyPair();
  const below = await createAuthority({ now, commonName: 'Ant Financial Class 2 R1', organization: 'Ant Financial', keyPair: ownPair }); // prettier-ignore
  const itself = new Written(below.certificate);
  const signingAlgorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const certified = await X509CertificateGenerator.create({
    subject: itself.subject,
    issuer: new Written(root.certificate).subject,
    notBefore: new Date(now.getTime() - day),
    notAfter: new Date(now.getTime() + 1000 * day),
    publicKey: new Uint8Array(ownPair.publicKey.export({ type: 'spki', format: 'der' })),
    signingKey: keyPair.privateKey.toCryptoKey(signingAlgorithm, false, ['sign']),
    signingAlgorithm,
    extensions: isAuthority ? itself.extensions : [],
  });
  const dates = { notBefore: new Date(now.getTime() - day), notAfter: new Date(now.getTime() + 100 * day) };
  const [known, next] = [await below.issue({ ...names, ...dates }), await below.issue({ ...names, ...dates })];
  return {
    root: root.certificate,
    between: `${certified.toString('pem')}\n`,
    known: known.certificate,
    next: next.certificate,
  };
}

const filesOf = (texts: Readonly<Record<string, string>>): Files =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));

const faultOf = (certificate: string, data: Files) =>
  certificateBySerial.faultOf(Buffer.from(certificate), { serial: serialOf(new X509Certificate(certificate)), data, now })?.message; // prettier-ignore

describe('a response with a certificate of Alipay’s', () => {
  it('is asked for by an SN alone', () => {
    for (const keyId of ['a'.repeat(32), '0123456789ABCDEF0123456789abcdef'])
      assert.ok(certificateBySerial.mayAsk(keyId));
    for (const keyId of ['', 'a'.repeat(31), 'a'.repeat(33), 'g'.repeat(32), `${'a'.repeat(32)}_${'b'.repeat(32)}`])
      assert.ok(!certificateBySerial.mayAsk(keyId), keyId);
    assert.deepEqual(certificateBySerial.request('a'.repeat(32)), {
      apiMethod: 'alipay.open.app.alipaycert.download',
      bizContent: `{"alipay_cert_sn":"${'a'.repeat(32)}"}`,
    });
  });

  it('holds one, with its chain, as it came; or none of that number', async () => {
    const { next, between } = await makeChain(true);
    const content = Buffer.from(next + between).toString('base64');
    const opened = respond(responseOf({ code: '10000', msg: 'Success', alipay_cert_content: content }));
    assert.equal(Buffer.from(opened).toString().replaceAll('\n', ''), (next + between).replaceAll('\n', ''));
    assert.equal(respond(responseOf({ code: '40004', sub_code: 'ISV.CERT_NOT_FOUND' })), 'unknown');
  });

  it('is refused when it is an error, and its codes are said and none of its words', () => {
    const said = (text: string, status?: number) => codeOf(() => respond(text, status));
    const refused = { code: '40002', sub_code: 'isv.invalid-signature', sub_msg: 'words of somebody' };
    assert.equal(said(responseOf(refused)), 'certificate-list-refused: openapi.alipay.com responded with 200 40002 isv.invalid-signature'); // prettier-ignore
    assert.equal(said(responseOf({ code: '10000' }), 500), 'certificate-list-refused: openapi.alipay.com responded with 500 10000'); // prettier-ignore
    assert.equal(said('<html>', 502), 'certificate-list-refused: openapi.alipay.com responded with 502');
    assert.equal(
      said(responseOf({ code: 'x y\n' })),
      'certificate-list-refused: openapi.alipay.com responded with 200',
    );
    assert.equal(said(`{"${member}":"ciphertext","sign":"x"}`), 'certificate-list-refused: openapi.alipay.com responded with 200'); // prettier-ignore
  });

  it('is refused when it holds no certificate, or too much', async () => {
    const { next } = await makeChain(true);
    for (const content of [undefined, 1, '', 'x', Buffer.from('no PEM').toString('base64'), Buffer.from(next.repeat(9)).toString('base64'), 'A'.repeat(33 * 1024)]) // prettier-ignore
      assert.match(codeOf(() => respond(responseOf({ code: '10000', alipay_cert_content: content }))), /^certificate-list-invalid: /); // prettier-ignore
  });
});

describe('a certificate of Alipay’s leads to a root', () => {
  const material = (root: string, known: string) => filesOf({ 'alipayRootCert.crt': root, 'alipayCertPublicKey_RSA2.crt': known }); // prettier-ignore

  it('over an authority that came with it, or that the material has', async () => {
    const { root, between, known, next } = await makeChain(true);
    assert.equal(faultOf(next + between, material(root, known)), undefined);
    assert.equal(faultOf(next, material(root, known + between)), undefined);
    assert.match(faultOf(next, material(root, known)) ?? '', /does not lead to a root of the material$/);
  });

  it('over what is no authority by its extensions only where the material has it, as in the sandbox', async () => {
    const { root, between, known, next } = await makeChain(false);
    assert.equal(faultOf(next, material(root, known + between)), undefined);
    assert.match(faultOf(next + between, material(root, known)) ?? '', /does not lead to a root of the material$/);
  });

  it('and to no other: without roots, and without a known certificate, none counts', async () => {
    const { root, between, known, next } = await makeChain(true);
    const other = await makeChain(true);
    assert.match(faultOf(next + between, material(other.root, known)) ?? '', /does not lead/);
    assert.match(faultOf(next + between, filesOf({ 'alipayCertPublicKey_RSA2.crt': known })) ?? '', /does not lead/);
    assert.match(
      faultOf(next + between, filesOf({ 'alipayRootCert.crt': root })) ?? '',
      /without a certificate of Alipay/,
    );
  });
});
