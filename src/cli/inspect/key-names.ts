// What keys and secrets are called, for `paycert inspect`: by the names of their files, since the bytes do not say whose they are.

/** What platforms and partners call a key of that name; nothing for names that are nobody's. */
const keys: readonly (readonly [RegExp, string])[] = [
  [/^apiclient_key\.pem$/, 'merchant API key: apiclient_key.pem'],
  [/^pub_key\.pem$/, 'WeChat Pay public key: pub_key.pem'],
  [/^app_private_key(?:\.txt|\.pem)?$/, 'the application’s, of Alipay: app_private_key'],
  [/^alipay_public_key(?:\.previous)?$/, 'Alipay’s: alipay_public_key'],
  [/^private_key\.pem$/, 'yours, for RSA-PSS: private_key.pem'],
  [/^public_key(?:\.previous)?\.pem$/, 'the partner’s, for RSA-PSS: public_key.pem'],
  [/^tls\.key$/, 'for TLS: tls.key'],
];

export function nameKey(kind: 'private key' | 'public key', file: string): string {
  const whose = keys.find(([pattern]) => pattern.test(file))?.[1];
  return whose === undefined ? kind : `${kind} (${whose})`;
}

/** Files whose content is a secret, or stands beside one: what they are is said, and nothing of what they hold. */
export const secrets: Readonly<Record<string, string>> = {
  apiv2_key: 'APIv2 key (apiv2_key)',
  'apiv2_key.previous': 'previous APIv2 key (apiv2_key.previous)',
  access_key_id: 'access key id of Aliyun (access_key_id)',
  access_key_secret: 'access key secret of Aliyun (access_key_secret)',
  security_token: 'security token of Aliyun (security_token)',
  expiration: 'when the security token ends (expiration)',
  created_at: 'when the keys were made (created_at)',
  key: 'secret shared with a partner, for HMAC (key)',
  'key.previous': 'previous secret shared with a partner, for HMAC (key.previous)',
};
