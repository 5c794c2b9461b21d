// Aliyun OpenAPI: one access key, or one that a security token (STS) lends for a while, and the requests that it signs.
import { checkValue } from '../../crypto/check-value.ts';
import { secretKey } from '../../crypto/mac.ts';
import { PaycertError, violation } from '../../errors.ts';
import { secretFacts } from '../shared/facts.ts';
import { materialReader, readSecret, readTrimmed, timeOf } from '../shared/material.ts';
import { publicName } from '../shared/public-name.ts';
import { type KeyFacts, type Provider, type SigningContext, unusable } from '../provider.ts';
import { formOf } from '../takes.ts';
import { type AccessKey, authorizeAcs3, authorizeRpc } from './requests.ts';
import { takes } from './takes.ts';

/** Not the access key id: one credential's keys may change, and a token's do every hour. */
export function aliyun(): Provider {
  return {
    id: 'aliyun',
    identity: 'aliyun',
    async load(data, _remote, nameSecret = checkValue) {
      const { part, required, problems } = materialReader(data);
      const id = required('access_key_id', readAccessKeyId);
      const secret = required('access_key_secret', readAccessKeySecret);
      const securityToken = part('security_token', readWord);
      const notAfter = part('expiration', readTime);
      if (id?.startsWith('STS.') === true && !data.has('security_token'))
        problems.push(...violation('material-missing', 'security_token', 'is missing: access_key_id is a lent one'));
      if (problems.length > 0 || id === undefined || secret === undefined) return unusable(problems);
      const algorithm = securityToken === undefined ? 'access key' : 'access key with security token';
      const keyId = publicName(data, 'access_key_id', accessKeyIdForm);
      const secretPart = secretKey(Buffer.from(secret));
      const facts: KeyFacts = {
        ...(await secretFacts(
          secretPart,
          { role: 'access-key', algorithm, ...(keyId !== undefined && { keyId }) },
          nameSecret,
        )),
        ...(notAfter && { notAfter }),
      };
      const key = {
        id,
        keyId: facts.keyId,
        secret: secretPart,
        rpcSecret: secretKey(Buffer.from(`${secret}&`)),
        ...(securityToken !== undefined && { securityToken }),
      };
      return createContext(key, facts);
    },
  };
}

/** Each part is read in the same read as the others, so that a token never stands beside another one's secret. */
function createContext(key: AccessKey, facts: KeyFacts): SigningContext {
  const { notAfter } = facts;
  return {
    set: {
      keys: [facts],
      problems: [],
      capabilities: (now) => new Set(notAfter === undefined || now < notAfter ? ['sign'] : []),
      warnings: () => [],
      signer: { facts },
    },
    operations: {
      authorize: async (request, moment) =>
        formOf(takes.authorize, request) === 'RPC'
          ? authorizeRpc(key, request, moment)
          : authorizeAcs3(key, request, moment),
    },
  };
}

const malformed = (field: string, what: string) =>
  new PaycertError('access-key-malformed', `${field} ${what}`, { field });

/** Printable ASCII without spaces: what every part is, and what a pasted line of JSON or a certificate is not. */
function readWord(bytes: Uint8Array, field: string): string {
  const text = readSecret(bytes, 'issued', (what) => malformed(field, what)).toString('latin1');
  if (!/^[!-~]{1,8192}$/.test(text)) throw malformed(field, 'is empty, or more than one word');
  return text;
}

/** As Aliyun issues them. Older ids have other forms: they work, and are not shown. */
export const accessKeyIdForm = /^(?:LTAI|STS\.|TMP\.)[0-9A-Za-z]{4,40}$/;

function readAccessKeyId(bytes: Uint8Array, field: string): string {
  const text = readWord(bytes, field);
  if (/^(?!LTAI)[0-9A-Za-z]{30}$/.test(text)) throw malformed(field, 'has the form of an access key secret');
  return text;
}

function readAccessKeySecret(bytes: Uint8Array, field: string): string {
  const text = readWord(bytes, field);
  // The two stand beside each other in the console.
  if (/^(?:LTAI|STS\.)/.test(text)) throw malformed(field, 'holds an access key id');
  return text;
}

/** As AssumeRole answers it: UTC, to the second. */
function readTime(bytes: Uint8Array, field: string): Date {
  const time = timeOf(readTrimmed(bytes));
  if (time === undefined) throw new PaycertError('expiration-malformed', `${field} is no time of RFC 3339`, { field });
  return time;
}
