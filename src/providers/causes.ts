// Why platforms refuse signatures, and what people can do about it. The texts are shown as they are: none ever holds a value.

export const causes = {
  clock: {
    why: 'the time that was signed is too far from the platform’s',
    remedy:
      'Compare this machine’s clock with a time server; call `authorize` for each attempt, right before it is sent.',
  },
  'time-format': {
    why: 'the time is written in another unit, format or zone than the platform reads',
    remedy:
      'WeChat Pay: seconds. Alipay v2: Beijing time, v3: milliseconds. Aliyun: UTC to the second. `authorize` writes it right.',
  },
  'another-attempt': {
    why: 'what was signed belongs to another attempt, or one authorization was sent twice',
    remedy: 'Compare the two texts of one attempt; call `authorize` for each attempt, and send what it answers once.',
  },
  method: {
    why: 'another HTTP method was sent than signed',
    remedy: 'Send the method that `authorize` answered; a redirect or a proxy may turn POST into GET.',
  },
  url: {
    why: 'another path or query was sent than signed',
    remedy:
      'Send the url that `authorize` answered, byte for byte; look for a proxy that rewrites paths, drops or sorts queries.',
  },
  encoding: {
    why: 'the same characters were written in another encoding',
    remedy:
      'Send url and body as `authorize` answered them: neither percent-encode nor escape again, and keep everything UTF-8.',
  },
  order: {
    why: 'the same parts were signed in another order',
    remedy: 'Sort parameters by the bytes of their names, upper case before lower, as `authorize` does.',
  },
  'line-end': {
    why: 'a line end is one too many, one too few, or of another kind',
    remedy:
      'Sign and send the same bytes (`curl --data-binary`, `printf %s`); check that the file given here did not gain a line end.',
  },
  body: {
    why: 'another body was sent than signed: usually the JSON was serialized again',
    remedy:
      'Write the JSON once, pass that text to `authorize`, and send the same bytes; for an upload sign `meta` only.',
  },
  'body-missing': {
    why: 'one side had an empty body',
    remedy: 'Pass to `authorize` the body that is sent, and check that the HTTP client sends it.',
  },
  parameter: {
    why: 'a parameter was signed and not sent, was sent and not signed, or changed in between',
    remedy: 'Give every parameter to `authorize`, send all that it answers, and add none afterwards.',
  },
  header: {
    why: 'a header is missing, is malformed, or changed on its way',
    remedy: 'Send all headers that `authorize` answered; look for a proxy that drops or rewrites them.',
  },
  key: {
    why: 'the key that signed is not the one that the platform has on record: replaced, revoked, or of another pair',
    remedy:
      'Compare the key id of `paycert status` with the console, and the files with `paycert inspect`; upload its public key or certificate request where the console has another.',
  },
  application: {
    why: 'the AppID, merchant id or access key id belongs to another account than the key',
    remedy:
      'Check which credential was named, and the ids in its configuration; a space or another case is another id.',
  },
  environment: {
    why: 'keys of the sandbox were used in production, or the reverse',
    remedy: 'Take gateway address, application id, keys and root certificates from one environment.',
  },
  'key-replaced': {
    why: 'the certificate or key that signed was replaced, revoked or has expired, and the platform no longer accepts it',
    remedy:
      'Put the new private key and its certificate into the Secret together, in one write; `paycert status` names the key that signs now.',
  },
  'serial-of-another-key': {
    why: 'the serial number names another certificate than that of the key that signed',
    remedy:
      'Take apiclient_key.pem and apiclient_cert.pem from the same application; leave merchant_serial out, or take it from that certificate.',
  },
  'certificate-never-issued': {
    why: 'the merchant has never applied for an API certificate',
    remedy:
      'Let the console’s super administrator apply for one (账户中心 → API安全), and use its key and certificate.',
  },
  'apiv3-key-never-set': {
    why: 'the merchant has never set an APIv3 key, which APIv3 asks for before anything else',
    remedy:
      'Let the console’s super administrator set it (账户中心 → API安全), and put it into the Secret as apiv3_key.',
  },
  'merchant-in-body': {
    why: 'the body names another merchant than the one that signed',
    remedy:
      'Sign with the credential of the merchant that the body names (service providers: sp_mchid), or correct mchid in the body.',
  },
  'platform-serial': {
    why: '`Wechatpay-Serial` is missing, or names no platform key of this merchant',
    remedy:
      'Give the keyId that `encrypt` answered to `authorize` as encryptionKeyId and send its headers; the merchant’s own serial number does not belong there.',
  },
  'field-encryption': {
    why: 'the platform could not decrypt a field of the body: encrypted for another key, in another way, or not at all',
    remedy:
      'Encrypt each such field with `encrypt` right before `authorize`, all of one request for one keyId, and pass that as encryptionKeyId.',
  },
  'public-key-only': {
    why: 'this merchant has no platform certificate; it uses a WeChat Pay public key instead',
    remedy:
      'Download pub_key.pem and its id from the console (账户中心 → API安全), put both into the Secret, and stop downloading platform certificates.',
  },
  'charset-in-query': {
    why: 'charset is not in the query of the address, or values are not written in that charset',
    remedy:
      'Send the url that `authorize` answered with its query, in UTF-8; in a page, use pageForm or pageUrl of `payment-parameters`.',
  },
  'sign-type': {
    why: 'sign_type names another algorithm than the one that signed',
    remedy: 'Send sign_type as it was signed: `authorize` signs with RSA2; an old SDK beside it may sign with RSA.',
  },
  'signature-method': {
    why: 'the request names another algorithm than the one that signed',
    remedy:
      'Send the name of the algorithm as `authorize` answered it, and let no SDK beside it sign the request once more with another.',
  },
  'public-key-not-uploaded': {
    why: 'the platform has no public key or certificate of this application for this algorithm',
    remedy:
      'Upload the application’s public key, or its certificate request, in the console (开发设置 → 接口加签方式), and choose RSA2.',
  },
  'content-encryption': {
    why: 'the content is encrypted with another AES key or in another way than the console says',
    remedy: 'Compare aes_key with the console; encrypt where `encrypt_type` says so, and nowhere else.',
  },
  'apiv2-key': {
    why: 'the APIv2 key is not the one in the console; it is neither the APIv3 key nor the sandbox’s',
    remedy:
      'Set a new APIv2 key if nobody knows it (账户中心 → API安全), and put the same 32 characters into apiv2_key.',
  },
  'sandbox-key': {
    why: 'the sandbox signs with a key of its own, which has to be fetched from its present address and expires after days',
    remedy:
      'Fetch it with a signed POST to https://api.mch.weixin.qq.com/xdc/apiv2getsignkey/sign/getsignkey, and give it a credential of its own.',
  },
  'client-certificate': {
    why: 'this interface asks for the merchant’s certificate in TLS, and got none or another one',
    remedy:
      'Give apiclient_cert.pem and apiclient_key.pem to the HTTP client for its TLS connection to the platform, and read both again when they change; in a Node program, `createHttpsAgent` and `createDispatcher` of the library do that.',
  },
  'platform-fault': {
    why: 'the platform failed, or could not match merchant, serial number and key: what became of the call is unknown',
    remedy:
      'Query the order, then repeat with the same parameters; if it never succeeds, compare merchant id, serial number and key.',
  },
  'access-key': {
    why: 'the access key secret does not belong to the access key id, or the key was disabled or deleted',
    remedy:
      'Compare both with the RAM console, look for a blank or line end in the secret, and put id and secret into the Secret together.',
  },
  'access-key-id': {
    why: 'the platform does not know the access key id, or the key was disabled or deleted',
    remedy:
      'Look the id up in the RAM console: the account (China or international), whether it is active, and every character of access_key_id.',
  },
  'authorization-token': {
    why: 'the token by which a merchant or user authorised this application has expired, was withdrawn, or belongs to another application',
    remedy:
      'Refresh app_auth_token with alipay.open.auth.token.app, or let the merchant or user authorise again; keys and signature are not the cause.',
  },
  token: {
    why: 'the token that came with the key has expired or belongs to another key',
    remedy: 'Fetch token and key together, and check that whatever renews them still runs.',
  },
} as const satisfies Record<string, { readonly why: string; readonly remedy: string }>;

export type Cause = keyof typeof causes;
