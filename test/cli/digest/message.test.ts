// The digest of a cluster: what is a finding, how it reads, and how each receiver of it is posted to.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestOf } from '../../../src/cli/digest/findings.ts';
import { asText, postedTo, type ReceiverName, receivers } from '../../../src/cli/digest/message.ts';
import { type Condition, readResource } from '../../../src/operator/resource.ts';

const at = new Date('2026-11-27T01:00:00Z');
const since = '2026-11-01T00:00:00.000Z';
const condition = (type: string, status: Condition['status'], reason = 'A'): Condition => ({
  ...{ type, status, reason, message: `${type} is ${status}.`, lastTransitionTime: since, observedGeneration: 1 },
});
const resource = (name: string, conditions: readonly Condition[], more: object = {}) =>
  readResource({
    metadata: { name, namespace: 'pay', generation: 1 },
    spec: {},
    status: { observedGeneration: 1, conditions, ...more },
  });

const digest = digestOf(
  [
    resource('good', [condition('Ready', 'True'), condition('Expiring', 'False'), condition('RolledOut', 'True')]),
    resource('old', [condition('Ready', 'True'), condition('TooOld', 'True'), condition('RolledOut', 'Unknown')]),
    resource('bad', [condition('Ready', 'False'), condition('Expiring', 'True')]),
    resource('off', [condition('Ready', 'False', 'Suspended')]),
    resource('odd', [condition('RolledOut', 'False')], { accepted: { ignored: ['apiclient_kye.pem'] } }),
    resource('new', [], { observedGeneration: -1 }),
  ],
  at,
);

describe('the digest', () => {
  it('has what is wrong today first, and then what will need doing, of every credential', () => {
    assert.deepEqual(
      digest.findings.map(({ name, about, urgency }) => `${name} ${about} ${urgency}`),
      [
        'bad Ready now',
        ...['old TooOld soon', 'bad Expiring soon', 'off Ready soon', 'odd RolledOut soon', 'odd Unread soon', 'new Unknown soon'], // prettier-ignore
      ],
    );
    assert.equal(digest.credentials, 6);
  });

  it('is text that says how much it is about, under two headings', () => {
    const lines = asText(digest).split('\n');
    assert.equal(lines[0], 'paycert, 2026-11-27: 7 findings about 6 credentials');
    assert.deepEqual(lines.slice(1, 6), ['', 'Needs somebody today:', '- pay/bad: Ready since 2026-11-01. Ready is False.', '', 'Needs doing this month:']); // prettier-ignore
    assert.equal(asText(digestOf([], at)), 'paycert, 2026-11-27: 0 findings about 0 credentials');
  });

  const moment = { now: at, secret: 'SEC-of-a-robot', template: undefined as unknown };
  const bodyFor = (name: ReceiverName, more: { readonly secret?: undefined } = {}) =>
    JSON.parse(postedTo(name, digest, { ...moment, ...more }).body) as Readonly<Record<string, unknown>>;

  it('is what each receiver wants, with the signature that it checks', () => {
    const content = asText(digest);
    for (const name of ['wecom', 'dingtalk'] as const)
      assert.deepEqual(bodyFor(name), { msgtype: 'text', text: { content } });
    const { timestamp, sign } = postedTo('dingtalk', digest, moment).query;
    assert.equal(timestamp, String(at.getTime()));
    assert.equal(sign, createHmac('sha256', moment.secret).update(`${timestamp}\n${moment.secret}`).digest('base64'));
    const seconds = String(at.getTime() / 1000);
    const expected = createHmac('sha256', `${seconds}\n${moment.secret}`).update('').digest('base64');
    assert.deepEqual(bodyFor('feishu'), { timestamp: seconds, sign: expected, msg_type: 'text', content: { text: content } }); // prettier-ignore
    assert.deepEqual(bodyFor('feishu', { secret: undefined }), { msg_type: 'text', content: { text: content } });
    assert.deepEqual(postedTo('wecom', digest, moment).query, {});
    assert.equal(bodyFor('json')['credentials'], 6);
  });

  it('fills the template of another receiver, wherever it has its words', () => {
    const template = { title: '{{count}} findings', blocks: [{ text: '{{text}}', size: 3 }], kept: '{{other}}' };
    const { body } = postedTo('json', digest, { ...moment, template });
    assert.deepEqual(JSON.parse(body), {
      title: '7 findings',
      blocks: [{ text: asText(digest), size: 3 }],
      kept: '{{other}}',
    });
  });

  it('ends with whole lines where a receiver takes no more, and says that there is more', () => {
    const many = digestOf(Array.from({ length: 200 }, (_, index) => resource(`支付-${String(index)}`, [condition('TooOld', 'True')])), at); // prettier-ignore
    const { text } = JSON.parse(postedTo('wecom', many, moment).body) as { text: { content: string } };
    assert.ok(Buffer.byteLength(text.content) <= receivers.wecom.maxBytes);
    assert.match(text.content, /TooOld is True\.\n… and more: paycert digest$/);
  });
});
