// WeChat Pay v2: the APIv2 key that signs, and the certificate that red packets and refunds show in TLS.
import type { KeyObject } from 'node:crypto';
import { checkValue } from '../../crypto/check-value.ts';
import { isKeyReference } from '../../crypto/key-reference.ts';
import { secretKey } from '../../crypto/mac.ts';
import { rsaPkcs1 } from '../../crypto/suites.ts';
import { PaycertError, violation } from '../../errors.ts';
import { materialReader, readSecret } from '../shared/material.ts';
import {
  certificateNamesMerchant,
  elsewhere,
  keyMatchesCertificate,
  pairWarnings,
  readMerchantPair,
} from '../shared/merchant-pair.ts';
import { type Provider, unusable } from '../provider.ts';
import { type ClientPair, createContext } from './context.ts';
import type { WechatpayV2Options } from './options.ts';

type Data = ReadonlyMap<string, Uint8Array>;

export function wechatpayV2(options: WechatpayV2Options): Provider {
  return {
    id: 'wechatpayV2',
    identity: `wechatpayV2/${options.merchantId}`,
    async load(data, _remote, nameSecret = checkValue) {
      const { part, required, problems } = materialReader(data);
      const key = required('apiv2_key', readApiV2Key);
      const previous = part('apiv2_key.previous', readApiV2Key);
      const client = await readClientPair(data, options.merchantId);
      const all = [...problems, ...client.problems];
      if (all.length > 0 || key === undefined) return unusable(all);
      return createContext(
        {
          key,
          ...(previous && { previous }),
          ...(client.pair && { client: client.pair }),
          warnings: client.warnings ?? [],
        },
        options,
        nameSecret,
      );
    },
  };
}

function readApiV2Key(bytes: Uint8Array, field: string): KeyObject {
  const refuse = (what: string) => new PaycertError('apiv2-key-length', `${field} ${what}`, { field });
  const key = readSecret(bytes, 'issued', refuse);
  if (key.byteLength === 32) return secretKey(key);
  throw refuse('is not 32 bytes long, as an APIv2 key is, which is neither in base64 nor in hexadecimal');
}

/** The rules of APIv3 hold for these files too: they are the same. What else is in the material is APIv3's own. */
async function readClientPair(
  data: Data,
  merchantId: string,
): Promise<{
  readonly pair?: ClientPair;
  readonly problems: readonly PaycertError[];
  readonly warnings?: readonly PaycertError[];
}> {
  const own = new Map<string, Uint8Array>();
  for (const name of ['apiclient_key.pem', 'apiclient_cert.pem', 'apiclient_cert.p12', 'apiclient_cert.p12.password']) {
    const bytes = data.get(name);
    if (bytes !== undefined) own.set(name, bytes);
  }
  if (own.size === 0) return { problems: [] };
  const key = own.get('apiclient_key.pem');
  if (key !== undefined && isKeyReference(key))
    return {
      problems: [],
      warnings: elsewhere('apiclient_key.pem', 'calls that ask for a client certificate cannot be made'),
    };
  const reader = materialReader(own);
  const pair = await readMerchantPair(own, merchantId, reader);
  const { privateKey, certificate } = pair;
  const unreadable = new Set(reader.problems.map(({ field }) => field));
  const missing = (name: string) => (unreadable.has(name) ? [] : violation('material-missing', name, 'is missing'));
  const problems = [
    ...reader.problems,
    ...(privateKey ? rsaPkcs1.check(privateKey.publicKey, 'apiclient_key.pem') : missing('apiclient_key.pem')),
    ...(certificate ? [] : missing('apiclient_cert.pem')),
    ...keyMatchesCertificate(pair, merchantId),
    ...certificateNamesMerchant(pair, merchantId),
  ];
  return privateKey?.local && certificate && problems.length === 0
    ? { pair: { privateKey: privateKey.local, certificate, warnings: pairWarnings(pair) }, problems }
    : { problems };
}
