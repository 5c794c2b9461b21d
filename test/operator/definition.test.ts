// The CustomResourceDefinition on a real API server: what it accepts, what it refuses, and which field it names.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ResourceSpecSchema } from '../../src/config/resource.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, merchantId, Tenant, wechatpaySpec } from '../support/operator.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
/** The default of kubectl and helm. */
const strict = '?fieldValidation=Strict';

const provider = { wechatpay: { merchantId } };
const source = { secret: { name: 'keys' } };

describe('the definition', () => {
  it('is established as a structural schema, with every member that the operator validates', limit, async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/paymentcredentials.paycert.dev';
    const { status, spec } = await controlPlane().admin('GET', path);
    const { conditions } = status as { conditions: { type: string; status: string }[] };
    assert.ok(!conditions.some(({ type, status }) => type === 'NonStructuralSchema' && status === 'True'));
    const { versions } = spec as { versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: object } } } } }[] }; // prettier-ignore
    const members = Object.keys(versions[0]!.schema.openAPIV3Schema.properties.spec.properties);
    assert.deepEqual(members.sort(), Object.keys(ResourceSpecSchema.properties).sort());
  });

  it('accepts all that may be said', limit, async () => {
    const tenant = await Tenant.make(controlPlane());
    const responseKeys = ['platform', 'publicKey', { publicKeyPercent: 10 }];
    for (const [index, responseKey] of responseKeys.entries()) {
      const wechatpay = { merchantId, responseKey, legacyFieldPadding: true };
      const secret = { name: 'keys', keys: { apiv3_key: 'v3', __proto: 'x' } };
      const more = {
        require: ['sign', 'verify'],
        older: 'reject',
        grace: '24h',
        maxAge: '60d',
        suspend: false,
        refreshPods: true,
      };
      await tenant.create(`all-${String(index)}`, { provider: { wechatpay }, source: { secret }, ...more }, strict);
    }
    for (const [name, activate] of [
      ['timed', { at: '2026-12-01T02:00:00Z' }],
      ['tried', { percent: 5, of: 'pods' }],
    ] as const) {
      const sets = { current: source, next: { secret: { name: 'next', keys: { a: 'b' } } } };
      await tenant.create(name, { provider, source: { staged: { ...sets, activate } } }, strict);
    }
  });

  for (const [what, spec, expected] of [
    ['an unknown field', { provider, source, retries: 3 }, /unknown field \\"spec\.retries\\"/],
    [
      'an unknown option',
      { provider: { wechatpay: { merchantId, apiKey: 'x' } }, source },
      /unknown field \\"spec\.provider\.wechatpay\.apiKey\\"/,
    ],
    ['an unknown provider', { provider: { paypal: {} }, source }, /unknown field \\"spec\.provider\.paypal\\"/],
    ['no provider', { provider: {}, source }, /spec\.provider.*at least 1 properties/],
    ['a missing merchant', { provider: { wechatpay: {} }, source }, /spec\.provider\.wechatpay\.merchantId: Required/],
    [
      'a merchant that is none',
      { provider: { wechatpay: { merchantId: 'me' } }, source },
      /spec\.provider\.wechatpay\.merchantId: .*: merchantId must be 6 to 16 digits, such as/,
    ],
    ['a missing source', { provider }, /spec\.source: Required/],
    ['files', { provider, source: { files: { path: '/etc' } } }, /unknown field \\"spec\.source\.files\\"/],
    [
      'another namespace',
      { provider, source: { secret: { name: 'keys', namespace: 'kube-system' } } },
      /unknown field \\"spec\.source\.secret\.namespace\\"/,
    ],
    [
      'two sources',
      { provider, source: { ...source, staged: { current: source, next: source, activate: { percent: 0 } } } },
      /spec\.source: Too many: 2/,
    ],
    [
      'a share above a hundred',
      { provider, source: { staged: { current: source, next: source, activate: { percent: 101 } } } },
      /spec\.source\.staged\.activate\.percent.*less than or equal to 100/,
    ],
    [
      'a name of a Secret that is none',
      { provider, source: { secret: { name: '../x' } } },
      /spec\.source\.secret\.name/,
    ],
    [
      'an operation that is none',
      { provider, source, require: ['fly'] },
      /spec\.require\[0\]: Unsupported value: \\"fly\\"/,
    ],
    ['no operation', { provider, source, require: [] }, /spec\.require.*at least 1 items/],
    [
      'an age that is none',
      { provider, source, maxAge: '0d' },
      /spec\.maxAge: .*: maxAge must be a duration above zero such as 30d/,
    ],
    [
      'a duration that is none',
      { provider, source, grace: 'long' },
      /spec\.grace: .*: grace must be a duration such as 500ms/,
    ],
    [
      'a word that is none for the response key',
      { provider: { wechatpay: { merchantId, responseKey: 'both' } }, source },
      /responseKey: Unsupported value: .*platform/,
    ],
  ] as const)
    // prettier-ignore
    it(`refuses ${what}, and names the field`, limit, async () => {
      const tenant = await Tenant.make(controlPlane());
      await assert.rejects(tenant.create('bad', spec, strict), expected);
    });

  it('refuses two providers', limit, async () => {
    const tenant = await Tenant.make(controlPlane());
    const two = { ...provider, aliyun: {} };
    await assert.rejects(tenant.create('bad', { provider: two, source }, strict), /spec\.provider: Too many: 2/);
  });

  it('never lets the merchant change, nor the provider go and come back', limit, async () => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys'), strict);
    const other = { wechatpay: { merchantId: '1900000009' } };
    await assert.rejects(tenant.patch('wechat-main', { provider: other }), /merchantId cannot change/);
    await assert.rejects(tenant.patch('wechat-main', { provider: { wechatpay: null } }), /spec\.provider/);
    await assert.rejects(tenant.patch('wechat-main', { provider: null }), /spec\.provider: Required/);
    await assert.rejects(tenant.patch('wechat-main', { provider: { wechatpay: { merchantId: null } } }), /Required/);
    // Everything else may change.
    await tenant.patch('wechat-main', { source: { secret: { name: 'others' } }, suspend: true, require: ['verify'] });
  });

  it('prints what people look for', limit, async () => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys'), strict);
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { columnDefinitions } = await tenant.list(accept);
    const columns = columnDefinitions as { name: string; priority: number; type: string }[];
    const shown = columns.filter(({ priority }) => priority === 0).map(({ name }) => name);
    assert.deepEqual(shown, ['Name', 'Provider', 'Ready', 'Source', 'Expires', 'Rejected', 'Age']);
    assert.equal(columns.find(({ name }) => name === 'Expires')?.type, 'string');
    assert.ok(columns.some(({ name, priority }) => name === 'Snapshot' && priority === 1));
  });

  it('keeps who writes the spec from writing the status', limit, async () => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys'), strict);
    const path = `/apis/paycert.dev/v1alpha1/namespaces/${tenant.namespace}/paymentcredentials/wechat-main`;
    await controlPlane().admin('PATCH', path, { status: { observedGeneration: 9, conditions: [] } }, 'application/merge-patch+json'); // prettier-ignore
    assert.equal(await tenant.status('wechat-main'), undefined);
  });
});
