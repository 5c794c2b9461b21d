// A status that the API server refuses: what is written instead, what is counted, and that it is put right by itself.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { crdText } from '../../scripts/crd.ts';
import { type Status, StatusSchema } from '../../src/operator/resource.ts';
import { boundStatus } from '../../src/operator/status/bounds.ts';
import { refusedStatus } from '../../src/operator/status/refused.ts';
import { type Json, noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, leastRules, makeAccount, secretRules, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts'; // prettier-ignore
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/paymentcredentials.paycert.dev';

/** The definition as an earlier version had it, that is: with less room for what names a key. */
const narrow = (): Json => {
  const text = crdText().replaceAll(
    /(?<=description: What names the key on the wire\.\n +type: string\n +maxLength: )256/g,
    '4',
  );
  assert.notEqual(text, crdText());
  return parse(text) as Json;
};

const series = async (address: string): Promise<string[]> => {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith('paycert_operator_status_write_failures'));
};

describe('a status that an older definition refuses', () => {
  const controlPlane = useControlPlane((plane) => installDefinition(plane, narrow()));

  it('is written as conditions, counted and logged, and whole as soon as the definition has room', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files);
    const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const less = await tenant.condition('wechat-main', 'Ready', 'Unknown StatusRefused');
    assert.match(less.message, /Install the CustomResourceDefinition .* What the operator found: True, Ready\./);
    assert.equal(less.conditions.find(({ type }) => type === 'Valid')?.status, 'True');
    assert.deepEqual(await series(operator.address), [
      'paycert_operator_status_write_failures{reason="object-invalid"} 1',
    ]);
    const [first] = operator.recorder.of('status-unwritten');
    assert.deepEqual([first?.error.code, first?.isNew], ['object-invalid', true]);
    await until(async () => (await tenant.events()).includes('Warning StatusRefused PaymentCredential/wechat-main'));
    const version = await tenant.version('wechat-main');
    await until(() => operator.recorder.of('status-unwritten').length > 1);
    assert.equal(await tenant.version('wechat-main'), version, 'what is written is not written again');
    const { metadata } = await controlPlane().admin('GET', definition);
    const whole = parse(crdText()) as Json & { metadata: Json };
    const { resourceVersion } = metadata as { resourceVersion: string };
    await controlPlane().admin('PUT', definition, { ...whole, metadata: { ...whole.metadata, resourceVersion } });
    const status = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    assert.ok(status.keys?.some(({ id }) => id.length > 4));
    await until(async () => (await series(operator.address)).length === 0);
  });
});

describe('a status', () => {
  const controlPlane = useControlPlane(installDefinition);

  it('that may not be written is counted by its reason, while all else goes on', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const rules = leastRules.filter(({ resources }) => String(resources) !== 'paymentcredentials/status');
    assert.equal(rules.length, leastRules.length - 1);
    const environment = await makeAccount(tenant, [...rules, ...secretRules]);
    await tenant.write('keys', (await makeMaterial()).files);
    const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], environment });
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    await until(() => operator.recorder.of('status-unwritten').length > 1);
    assert.deepEqual(await series(operator.address), [
      'paycert_operator_status_write_failures{reason="cluster-forbidden"} 1',
    ]);
    assert.deepEqual(operator.recorder.of('status-unwritten').slice(0, 2).map(({ isNew }) => isNew), [true, false]); // prettier-ignore
    assert.equal((await fetch(`http://${operator.address}/readyz`)).status, 200);
    await tenant.remove('wechat-main');
    await until(async () => (await series(operator.address)).length === 0, 'nothing is left to be written');
  });

  it('of the largest size that the operator makes is one that the API server accepts', limit, async () => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.create('largest', wechatpaySpec('keys'));
    const status = boundStatus(largest(StatusSchema) as Status);
    const conditions = status.conditions.map((condition, index) => ({ ...condition, type: `Type${String(index)}` }));
    const path = `/apis/paycert.dev/v1alpha1/namespaces/${tenant.namespace}/paymentcredentials/largest/status`;
    const body = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', status: { ...status, conditions } };
    const query = '?fieldManager=test&force=true&fieldValidation=Strict';
    await controlPlane().admin('PATCH', `${path}${query}`, body, 'application/apply-patch+yaml');
    const written = await tenant.status('largest');
    assert.deepEqual([written?.keys?.length, written?.firstSeen?.length], [256, 288]);
  });

  it('that is refused keeps what was accepted, and since when keys are known', () => {
    const time = '2026-01-01T00:00:00.000Z';
    const ready = { type: 'Ready', status: 'True', reason: 'Ready', message: 'm', lastTransitionTime: time, observedGeneration: 1 } as const; // prettier-ignore
    const previous: Status = {
      observedGeneration: 1,
      conditions: [ready],
      firstSeen: [{ fingerprint: 'f', time }],
      keyId: 'old',
    };
    const next: Status = { observedGeneration: 2, conditions: [{ ...ready, message: 'n' }], keyId: 'new' };
    const now = new Date('2026-02-01T00:00:00Z');
    const refused = refusedStatus(previous, next, now);
    assert.deepEqual([refused.firstSeen, refused.keyId, refused.observedGeneration], [previous.firstSeen, 'old', 2]);
    const second = { fingerprint: 'g', time };
    const more = refusedStatus(previous, { ...next, firstSeen: [...previous.firstSeen!, second] }, now);
    assert.deepEqual(more.firstSeen, [...previous.firstSeen!, second], 'also of keys that come meanwhile');
    const later = refusedStatus(refused, next, new Date('2026-03-01T00:00:00Z'));
    assert.deepEqual(later, refused, 'it is unknown since it was refused first');
  });
});

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly { readonly const: string }[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** More of everything than the schema has room for; four bytes a character. */
function largest({ anyOf, properties, items = {}, maxItems = 0, maxLength = 0, ...schema }: Schema): unknown {
  const { type, format, maximum = Number.MAX_SAFE_INTEGER } = schema;
  if (anyOf) return anyOf[0]?.const;
  if (type === 'array') return Array.from({ length: maxItems + 1 }, () => largest(items));
  if (type === 'object')
    return Object.fromEntries(Object.entries(properties ?? {}).map(([name, schema]) => [name, largest(schema)]));
  if (type === 'boolean') return true;
  if (type === 'integer') return maximum;
  return format === 'date-time' ? new Date(8.64e15).toISOString() : '𠮷'.repeat(maxLength);
}
