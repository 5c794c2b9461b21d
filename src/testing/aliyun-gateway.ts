// A gateway on loopback that behaves as Aliyun's: it checks both signatures, RPC and ACS3, and takes text messages (protocols 4).
import { randomUUID } from 'node:crypto';
import { checkAcs3, checkRpc, Refusal, rpcParameters } from './aliyun-signatures.ts';
import type { Account, Call } from './aliyun-signatures.ts';
import { listenOnLoopback } from './loopback.ts';
import type { Answer, Listener, ReceivedRequest } from './loopback.ts';

/** A text message that the gateway has taken, by the names of SendSms. */
export interface SentMessage {
  readonly bizId: string;
  readonly PhoneNumbers: string;
  readonly SignName: string;
  readonly TemplateCode: string;
  /** JSON. */
  readonly TemplateParam: string;
}

/** A running double of Aliyun's gateway. */
export interface AliyunGateway extends Listener, AsyncDisposable {
  /** Live: they change with every request. */
  readonly counts: { readonly accepted: number; readonly refused: number };
  /** Live: what SendSms has taken, oldest first. */
  readonly sent: readonly SentMessage[];
  /** What requests must be signed with, from now on. */
  admit(account: Account): void;
}

/** Whose requests it accepts. */
export interface AliyunGatewayOptions {
  readonly account: Account;
  /** The platform's clock: this machine's unless given. */
  readonly now?: () => Date;
}

const maxSent = 10_000;
const windowMilliseconds = 900_000;

/**
 * Listens on 127.0.0.1, over HTTP. It refuses what is not signed right, as Aliyun does. An action that it does not know is
 * answered with the id of the request alone.
 * @example
 * import { startAliyunGateway } from 'paycert/testing';
 *
 * const account = { accessKeyId: 'LTAI5tExample', accessKeySecret: 'secret' };
 * await using gateway = await startAliyunGateway({ account });
 * await fetch(`${gateway.url}/?Action=SendSms&Version=2017-05-25`, { method: 'POST' });
 * console.log(gateway.counts, gateway.sent); // → { accepted: 0, refused: 1 } []
 */
export async function startAliyunGateway(options: AliyunGatewayOptions): Promise<AliyunGateway> {
  const { now = () => new Date() } = options;
  let { account } = options;
  const counts = { accepted: 0, refused: 0 };
  const sent: SentMessage[] = [];
  const nonces = new Map<string, number>();

  const assertOnce = ({ nonce, timestamp }: Call): void => {
    const [time, signedAt] = [now().getTime(), Date.parse(timestamp)];
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(timestamp)) throw new Refusal(400, 'InvalidTimeStamp.Format');
    if (!(Math.abs(time - signedAt) <= windowMilliseconds)) throw new Refusal(400, 'InvalidTimeStamp.Expired');
    for (const [old, usedAt] of nonces) {
      if (time - usedAt <= 2 * windowMilliseconds) break;
      nonces.delete(old);
    }
    if (nonces.has(nonce)) throw new Refusal(400, 'SignatureNonceUsed');
    nonces.set(nonce, time);
  };

  const act = ({ action, parameters }: Call): Readonly<Record<string, string>> => {
    const requestId = { RequestId: randomUUID().toUpperCase() };
    if (action !== 'SendSms') return requestId;
    const missing = ['PhoneNumbers', 'SignName', 'TemplateCode'].find((name) => !parameters.get(name));
    if (missing !== undefined) throw new Refusal(400, `Missing${missing}`);
    const [bizId, valueOf] = [`${now().getTime()}^0`, (name: string) => parameters.get(name) ?? ''];
    sent.push({
      bizId,
      PhoneNumbers: valueOf('PhoneNumbers'),
      SignName: valueOf('SignName'),
      TemplateCode: valueOf('TemplateCode'),
      TemplateParam: valueOf('TemplateParam'),
    });
    if (sent.length > maxSent) sent.shift();
    return { Message: 'OK', Code: 'OK', BizId: bizId, ...requestId };
  };

  const respond = (request: ReceivedRequest): Answer => {
    const isAcs3 = request.headers.authorization?.startsWith('ACS3-') === true;
    const format = isAcs3 ? 'JSON' : (rpcParameters(request).get('Format')?.toUpperCase() ?? 'XML');
    try {
      const call = isAcs3 ? checkAcs3(request, account) : checkRpc(request, account);
      assertOnce(call);
      const result = act(call);
      counts.accepted += 1;
      return write(200, `${call.action}Response`, result, format);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      counts.refused += 1;
      const { status, code, message } = error;
      const told = { RequestId: randomUUID().toUpperCase(), Code: code, Message: message };
      return write(status, 'Error', told, format);
    }
  };

  const listener = await listenOnLoopback(0, respond);
  return {
    ...listener,
    counts,
    sent,
    admit: (next) => void (account = next),
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** RPC answers in XML unless `Format` asks for JSON. */
function write(status: number, root: string, members: Readonly<Record<string, string>>, format: string): Answer {
  if (format === 'JSON') {
    const headers = { 'Content-Type': 'application/json;charset=utf-8' };
    return { status, headers, body: Buffer.from(JSON.stringify(members)) };
  }
  const elements = Object.entries(members).map(
    ([name, value]) => `<${name}>${value.replace(/[&<>]/g, (mark) => escapes[mark] ?? mark)}</${name}>`,
  );
  const body = Buffer.from(
    `<?xml version='1.0' encoding='UTF-8' standalone='yes'?><${root}>${elements.join('')}</${root}>`,
  );
  return { status, headers: { 'Content-Type': 'text/xml;charset=utf-8' }, body };
}
