// An access key from Aliyun STS for the token of an OIDC provider, which is read again each time: a projected token of our service account (RRSA).
import type { Clock } from '../../clock.ts';
import { type AccessKey, askedSeconds, millisecondsLeft, readIdentity } from '../cloud/access-key.ts';
import type { Lent } from '../cloud/lent-keys.ts';
import { malformed, textOf, within } from '../content.ts';
import type { Server } from '../server.ts';
import { aliyunError } from './responses.ts';

export interface OidcRole {
  readonly roleArn: string;
  readonly providerArn: string;
  readonly tokenFile: string;
  /** What Aliyun writes beside our calls in its trail. */
  readonly sessionName: string;
}

export interface OidcRoleOptions extends OidcRole {
  /** STS. */
  readonly server: Pick<Server, 'ask'>;
  readonly clock: Clock;
  readonly nonce: () => string;
}

/** @throws PaycertError of kind source */
export async function assumeRoleWithOidc(options: OidcRoleOptions, signal: AbortSignal): Promise<Lent<AccessKey>> {
  const { server, clock, nonce, roleArn, providerArn, tokenFile, sessionName } = options;
  const what = `assume the role ${roleArn} with the token in ${tokenFile}`;
  const body = new URLSearchParams({
    RoleArn: roleArn,
    OIDCProviderArn: providerArn,
    OIDCToken: await readIdentity('auth.rrsa.tokenFile', tokenFile),
    RoleSessionName: sessionName,
    DurationSeconds: String(askedSeconds),
  }).toString();
  // The token is what proves who we are: the request has no signature.
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    'x-acs-action': 'AssumeRoleWithOIDC',
    'x-acs-version': '2015-04-01',
    'x-acs-date': `${clock.now().toISOString().slice(0, 19)}Z`,
    'x-acs-signature-nonce': nonce(),
  };
  const reply = await server.ask({ method: 'POST', path: '/', headers, body, what }, signal);
  if (reply.status !== 200) throw aliyunError(reply, what);
  const found = within(reply.content, 'Credentials');
  const [id, secret, token] = ['AccessKeyId', 'AccessKeySecret', 'SecurityToken'].map((name) => textOf(found[name]));
  if (id === undefined || secret === undefined || token === undefined) throw malformed(what, 'Aliyun STS');
  return { key: { id, secret, token }, milliseconds: millisecondsLeft(found['Expiration'], clock.now()) };
}
