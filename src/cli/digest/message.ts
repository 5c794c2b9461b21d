// The digest as text, as JSON, and as each receiver wants it: a body, and the code in its response.
import { createHmac } from 'node:crypto';
import type { Digest, Finding } from './findings.ts';

const heading = { now: 'Needs somebody today', soon: 'Needs doing this month' } as const;

const lineOf = ({ namespace, name, about, since, message }: Finding): string =>
  `- ${namespace}/${name}: ${about}${since === undefined ? '' : ` since ${since.slice(0, 10)}`}. ${message}`;

const counted = (count: number, what: string): string => `${String(count)} ${what}${count === 1 ? '' : 's'}`;

export function asText({ at, credentials, findings }: Digest): string {
  const counts = `${counted(findings.length, 'finding')} about ${counted(credentials, 'credential')}`;
  const title = `paycert, ${at.toISOString().slice(0, 10)}: ${counts}`;
  const parts = (['now', 'soon'] as const).flatMap((urgency) => {
    const lines = findings.filter((finding) => finding.urgency === urgency).map(lineOf);
    return lines.length === 0 ? [] : ['', `${heading[urgency]}:`, ...lines];
  });
  return [title, ...parts].join('\n');
}

export interface Moment {
  readonly now: Date;
  /** What the receiver has for signed requests. */
  readonly secret: string | undefined;
  /** JSON with `{{text}}` and `{{count}}` in its texts; of the receiver `json`. */
  readonly template: unknown;
}

interface Receiver {
  /** Of text, in bytes of UTF-8. */
  readonly maxBytes: number;
  readonly body: (text: string, digest: Digest, moment: Moment) => unknown;
  /** What is added to its address. */
  readonly query?: (moment: Moment) => Readonly<Record<string, string>>;
  /** They say 200 to all, and in the body whether they took it: 0, or why not. */
  readonly code: (body: unknown) => unknown;
}

export const taken = 0;

const memberOf =
  (...names: readonly string[]) =>
  (body: unknown) =>
    names.map((name) => (body as Readonly<Record<string, unknown>> | null)?.[name]).find((code) => code !== undefined);

/** WeCom, DingTalk and Feishu: their robots in a group. */
export const receivers = {
  json: {
    maxBytes: Infinity,
    body: (text, digest, { template }) =>
      template === undefined ? digest : filled(template, { text, count: String(digest.findings.length) }),
    code: () => taken,
  },
  wecom: {
    maxBytes: 2048,
    body: (content) => ({ msgtype: 'text', text: { content } }),
    code: memberOf('errcode'),
  },
  dingtalk: {
    maxBytes: 18_000,
    body: (content) => ({ msgtype: 'text', text: { content } }),
    query({ now, secret }) {
      if (secret === undefined) return {};
      const timestamp = String(now.getTime());
      return { timestamp, sign: createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64') };
    },
    code: memberOf('errcode'),
  },
  feishu: {
    maxBytes: 18_000,
    body(text, _, { now, secret }) {
      const message = { msg_type: 'text', content: { text } };
      if (secret === undefined) return message;
      const timestamp = String(Math.floor(now.getTime() / 1000));
      return { timestamp, sign: createHmac('sha256', `${timestamp}\n${secret}`).digest('base64'), ...message };
    },
    code: memberOf('code', 'StatusCode'),
  },
} as const satisfies Readonly<Record<string, Receiver>>;

export type ReceiverName = keyof typeof receivers;

export interface Posted {
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
}

export function postedTo(name: ReceiverName, digest: Digest, moment: Moment): Posted {
  const receiver: Receiver = receivers[name];
  const body = receiver.body(shortened(asText(digest), receiver.maxBytes), digest, moment);
  return { query: receiver.query?.(moment) ?? {}, body: JSON.stringify(body) };
}

/** With the digest in place of these words, in every text of it. */
function filled(template: unknown, words: Readonly<Record<string, string>>): unknown {
  if (typeof template === 'string')
    return template.replace(/\{\{(\w+)\}\}/g, (all, name: string) => words[name] ?? all);
  if (Array.isArray(template)) return template.map((one) => filled(one, words));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, filled(value, words)]));
}

const more = '\n… and more: paycert digest';

/** Whole lines, and that there are more. */
function shortened(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const lines = text.split('\n');
  while (lines.length > 1 && Buffer.byteLength(lines.join('\n')) + Buffer.byteLength(more) > maxBytes) lines.pop();
  return `${lines.join('\n')}${more}`;
}
