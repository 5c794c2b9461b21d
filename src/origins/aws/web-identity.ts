// An access key from AWS STS for the token of a web identity, which is read again each time: a projected token of our service account.
import type { Clock } from '../../clock.ts';
import { type AccessKey, askedSeconds, millisecondsLeft, readIdentity } from '../cloud/access-key.ts';
import type { Lent } from '../cloud/lent-keys.ts';
import { malformed, textOf, within } from '../content.ts';
import type { Server } from '../server.ts';
import { awsError } from './responses.ts';

export interface WebIdentity {
  readonly roleArn: string;
  readonly tokenFile: string;
  /** What AWS writes beside our calls in its trail. */
  readonly sessionName: string;
}

export interface WebIdentityOptions extends WebIdentity {
  /** STS. */
  readonly server: Pick<Server, 'ask'>;
  readonly clock: Clock;
}

/** @throws PaycertError of kind source */
export async function assumeRoleWithWebIdentity(
  options: WebIdentityOptions,
  signal: AbortSignal,
): Promise<Lent<AccessKey>> {
  const { server, clock, roleArn, tokenFile, sessionName } = options;
  const what = `assume the role ${roleArn} with the token in ${tokenFile}`;
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: String(askedSeconds),
    WebIdentityToken: await readIdentity('auth.webIdentity.tokenFile', tokenFile),
  }).toString();
  // The token is what proves who we are: the request has no signature. It answers in JSON to whom asks for it.
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const reply = await server.ask({ method: 'POST', path: '/', headers, body, what, isRead: true }, signal);
  if (reply.status !== 200) throw awsError(reply, what);
  const found = within(
    reply.content,
    'AssumeRoleWithWebIdentityResponse',
    'AssumeRoleWithWebIdentityResult',
    'Credentials',
  );
  const [id, secret, token] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((name) => textOf(found[name]));
  if (id === undefined || secret === undefined || token === undefined) throw malformed(what, 'AWS STS');
  return { key: { id, secret, token }, milliseconds: millisecondsLeft(found['Expiration'], clock.now()) };
}
