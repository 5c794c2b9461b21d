// helm test, first step: a key of nobody's, and the configuration of a sidecar that signs with it. Argument: the directory.
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';

const directory = process.argv.at(-1);
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
mkdirSync(`${directory}/material`);
writeFileSync(`${directory}/material/apiclient_key.pem`, privateKey, { mode: 0o600 });
// Signing needs no certificate, only the serial number that names it.
writeFileSync(`${directory}/material/merchant_serial`, '0123456789ABCDEF');
writeFileSync(`${directory}/public.pem`, publicKey);
const configuration = {
  listen: { socket: `${directory}/paycert.sock` },
  admin: { address: ':9464' },
  credentials: [
    {
      name: 'helm-test',
      required: true,
      provider: { wechatpay: { merchantId: '1900000001' } },
      source: { files: { path: `${directory}/material` } },
    },
  ],
};
writeFileSync(`${directory}/paycert.yaml`, JSON.stringify(configuration));
