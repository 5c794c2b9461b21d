// Uploads, mini programs, packed statements and ciphertext in addresses: what is signed of each, by values that openssl and curl make.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { signMessage, startAlipayGateway, toPkcs8Pem } from '../../src/testing/index.ts';
import type { PlatformKey } from '../../src/testing/index.ts';
import { makeDirectory } from '../support/directories.ts';
import { startProviders } from '../support/provider-sidecar.ts';
import { call } from '../support/sidecar.ts';

const run = promisify(execFile);
const openssl = (input: string | Buffer, ...words: string[]): Buffer => execFileSync('openssl', words, { input });
/** Not at once: what it asks is served here. */
const curl = async (...words: string[]): Promise<string> =>
  (await run('curl', ['-sS', '--max-time', '20', ...words])).stdout;

const isMissing = (tool: string): boolean => {
  try {
    execFileSync(tool, ['--help'], { stdio: 'ignore' });
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
};
const skip = ['openssl', 'curl'].some(isMissing) && 'no openssl or no curl here';

it('what is signed of an unusual body', { skip, timeout: 900_000 }, async (suite) => {
  const { sidecar, alipay, wechat } = await startProviders(suite);
  const ask = async (socket: string, credential: string, operation: string, body: object) => {
    const { status, content } = await call(socket, `/v1/credentials/${credential}/${operation}`, { body });
    return { status, ...(JSON.parse(content) as Record<string, string>) } as Record<string, unknown> & {
      readonly status: number;
      readonly title?: string;
      readonly detail?: string;
    };
  };

  await suite.test('of an upload to Alipay v2 is its text parts: they may not be changed, the file may', async (t) => {
    const gateway = await startAlipayGateway({ material: alipay });
    t.after(() => gateway.close());
    const directory = await makeDirectory(t);
    const file = join(directory, 'shop.jpg');
    // What separates parts, line ends and bytes that are no text: nothing of it is signed.
    await writeFile(file, Buffer.from([0xff, 0xd8, 13, 10, 45, 45, 0, 0x80, 13, 10]));
    const authorize = () =>
      ask(sidecar.socket, 'alipay-main', 'authorize', {
        apiMethod: 'alipay.merchant.image.upload',
        parameters: { image_type: 'jpg', image_name: '店 & "co"' },
      });
    const upload = async (...parts: string[]) => {
      const { pathname, search } = new URL(String((await authorize())['url']));
      return curl(...parts.flatMap((part) => ['-F', part]), `${gateway.url}${pathname}${search}`);
    };
    const texts = ['image_type=jpg', 'image_name=店 & "co"'];
    assert.match(await upload(...texts, `image_content=@${file}`), /"code":"10000"/);
    assert.match(await upload(...texts, `image_content=@${import.meta.filename}`), /"code":"10000"/);
    assert.match(await upload('image_type=png', texts[1]!, `image_content=@${file}`), /isv\.invalid-signature/);
    assert.match(await upload(...texts, 'more=1', `image_content=@${file}`), /isv\.invalid-signature/);
    assert.deepEqual({ ...gateway.counts }, { accepted: 2, refused: 2 });

    // The text that is signed, written by hand, and checked by openssl.
    const url = new URL(String((await authorize())['url']));
    const sent = new Map([...url.searchParams, ['image_type', 'jpg'], ['image_name', '店 & "co"']]);
    const signature = Buffer.from(sent.get('sign') ?? '', 'base64');
    sent.delete('sign');
    const text = [...sent]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map((pair) => pair.join('='))
      .join('&');
    const [key, sign] = [join(directory, 'app.pem'), join(directory, 'sign')];
    await writeFile(key, alipay.app.publicKey.export({ type: 'spki', format: 'pem' }));
    await writeFile(sign, signature);
    assert.equal(openssl(text, 'dgst', '-sha256', '-verify', key, '-signature', sign).toString().trim(), 'Verified OK');
  });

  await suite.test('of my.getPhoneNumber is the ciphertext with its quotes', async (t) => {
    const key = join(await makeDirectory(t), 'alipay.pem');
    await writeFile(key, toPkcs8Pem(alipay.alipayKeys[0]!.privateKey));
    const plaintext = '{"code":"10000","msg":"Success","mobile":"13800000000"}';
    const hex = Buffer.from(alipay.aesKey, 'base64').toString('hex');
    const sealed = openssl(plaintext, 'enc', '-aes-128-cbc', '-K', hex, '-iv', '0'.repeat(32)).toString('base64');
    const sign = (text: string) => openssl(text, 'dgst', '-sha256', '-sign', key).toString('base64');
    const verify = (members: object) =>
      ask(sidecar.socket, 'alipay-main', 'verify', {
        ...{ kind: 'response', apiMethod: 'my.getPhoneNumber' },
        body: JSON.stringify(members),
      });
    const envelope = { response: sealed, sign_type: 'RSA2', encrypt_type: 'AES', charset: 'UTF-8' };
    const genuine = await verify({ ...envelope, sign: sign(`"${sealed}"`) });
    assert.deepEqual([genuine.status, genuine['valid']], [200, true]);
    const opened = await ask(sidecar.socket, 'alipay-main', 'decrypt', { algorithm: 'AES', ciphertext: sealed });
    assert.equal(opened['plaintext'], plaintext);

    assert.equal((await verify({ ...envelope, sign: sign(sealed) })).title, 'signature-invalid');
    assert.equal((await verify(envelope)).title, 'signature-missing');
    const changed = `${sealed.startsWith('A') ? 'B' : 'A'}${sealed.slice(1)}`;
    assert.equal(
      (await verify({ ...envelope, response: changed, sign: sign(`"${sealed}"`) })).title,
      'signature-invalid',
    );
    // An error of the platform comes in the open, and unsigned.
    const failed = { response: { code: '40003', subMsg: 'no permission' } };
    assert.equal((await verify(failed)).title, 'response-unsigned');
  });

  await suite.test('of an overseas statement is the hash of the unpacked text', async () => {
    const statement = Buffer.from('\ufeff交易时间,金额\r\n`2026-03-01,`1.00\r\n');
    const sha1 = openssl(statement, 'dgst', '-sha1', '-r').toString().slice(0, 40);
    const { headers } = signMessage(Buffer.from(JSON.stringify({ sha1 })), {
      platformKey: wechat.platformKeys[0]!,
      now: new Date(),
    });
    const verify = (body: Buffer) =>
      ask(sidecar.socket, 'wechat-main', 'verify', {
        ...{ kind: 'response', status: 200, url: '/v3/global/statements?date=20260301' },
        headers: { ...headers, 'Wechatpay-Statement-Sha1': sha1 },
        bodyBase64: body.toString('base64'),
      });
    assert.equal((await verify(statement))['valid'], true);
    const packed = await verify(gzipSync(statement));
    assert.equal(packed.title, 'signature-invalid');
    assert.match(packed.detail ?? '', /packed with gzip, and the hash is that of the unpacked text/);
    const changed = await verify(Buffer.concat([statement, Buffer.from(' ')]));
    assert.equal(changed.title, 'signature-invalid');
    assert.doesNotMatch(changed.detail ?? '', /gzip/);
  });

  await suite.test('of a packed bill is the hash of what gunzip makes of it', async (t) => {
    const bill = 'a,b\r\n1,2\r\n';
    const packed = join(await makeDirectory(t), 'bill.csv.gz');
    await writeFile(packed, gzipSync(bill));
    const command = 'gunzip --stdout "$1" | sha1sum';
    const printed = execFileSync('bash', ['-c', command, 'bash', packed], { encoding: 'utf8' });
    assert.equal(printed.slice(0, 40), createHash('sha1').update(bill).digest('hex'));
  });

  await suite.test(
    'of a query with a ciphertext is the address as it is encoded, and WeChat Pay opens it',
    async (t) => {
      const directory = await makeDirectory(t);
      const { ciphertext, keyId } = (await ask(sidecar.socket, 'wechat-main', 'encrypt', {
        plaintext: '张三',
      })) as Record<string, unknown>;
      const url = `/v3/personal/query?mchid=1900000001&name=${encodeURIComponent(String(ciphertext))}`;
      const request = { method: 'GET', url, encryptionKeyId: keyId };
      const authorized = await ask(sidecar.socket, 'wechat-main', 'authorize', request);
      const headers = authorized['headers'] as Record<string, string>;
      assert.deepEqual([authorized['url'], headers['Wechatpay-Serial']], [url, keyId]);
      const [, nonce, signature = '', timestamp] =
        /nonce_str="(\w+)",signature="([^"]+)",timestamp="(\d+)"/.exec(headers['Authorization'] ?? '') ?? [];
      const [own, sign] = [join(directory, 'merchant.pem'), join(directory, 'sign')];
      await writeFile(own, wechat.merchant.publicKey.export({ type: 'spki', format: 'pem' }));
      await writeFile(sign, Buffer.from(signature, 'base64'));
      const text = `GET\n${url}\n${timestamp}\n${nonce}\n\n`;
      assert.equal(
        openssl(text, 'dgst', '-sha256', '-verify', own, '-signature', sign).toString().trim(),
        'Verified OK',
      );

      const platform = join(directory, 'platform.pem');
      const named = wechat.platformKeys.find((key: PlatformKey) => key.keyId === keyId)!;
      await writeFile(platform, toPkcs8Pem(named.privateKey));
      const received = Buffer.from(new URLSearchParams(url.split('?')[1]).get('name') ?? '', 'base64');
      const options = ['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha1'];
      assert.equal(openssl(received, 'pkeyutl', '-decrypt', '-inkey', platform, ...options).toString(), '张三');
    },
  );
});
