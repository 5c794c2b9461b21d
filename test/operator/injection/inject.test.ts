// The patch of a Pod that asks for a sidecar: it only adds, what it makes is a sidecar that starts, and a hostile Pod is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../../src/config/load.ts';
import { PaycertError } from '../../../src/errors.ts';
import type { Operation } from '../../../src/kube/client.ts';
import type { ReviewRequest } from '../../../src/operator/admission/review.ts';
import { inject, type Injection } from '../../../src/operator/injection/inject.ts';
import type { ResourceKey } from '../../../src/operator/resource-key.ts';
import type { PaymentCredential } from '../../../src/operator/resource.ts';
import { wechatpaySpec } from '../../support/operator.ts';

const resource = (name: string, spec: unknown): PaymentCredential => ({
  ...{ kind: 'PaymentCredential', namespace: 'pay', name, uid: name, resourceVersion: '1', generation: 1 },
  ...{ spec, status: undefined },
});

const staged = {
  current: { secret: { name: 'keys' } },
  next: { secret: { name: 'next', keys: { apiv3_key: 'v3' } } },
  activate: { percent: 5 },
};

const cached = new Map(
  [
    resource('wechat-main', wechatpaySpec('keys', { grace: '1d' })),
    resource('alipay-main', {
      provider: { alipay: { appId: '2014072300007148', mode: 'key' } },
      source: { secret: { name: 'alipay', keys: { 'appCertPublicKey.crt': 'app.crt' } } },
    }),
    resource('gone', wechatpaySpec('old', { suspend: true })),
    resource('staged', wechatpaySpec('', { source: { staged } })),
    resource('listed', wechatpaySpec('keys', { platformCertificates: { secret: 'platform' } })),
    resource('odd', { provider: {} }),
    // kubelet would put a variable in the place of `$(…)`.
    resource('dollar', wechatpaySpec('dollar', { source: { secret: { name: 'd', keys: { a: '$(PATH)"\n' } } } })),
  ].map((one) => [one.name, one]),
);
const lookup = { find: ({ namespace, name }: ResourceKey) => (namespace === 'pay' ? cached.get(name) : undefined) };
const options = { lookup, image: 'paycert:0.1.0', version: '0.1.0' };

type Json = Readonly<Record<string, unknown>>;
type Texts = Record<string, string>;

interface Container extends Json {
  readonly name: string;
}

interface Sidecar extends Container {
  readonly env: readonly [{ readonly value: string }];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly ports: readonly [{ readonly containerPort: number }];
}

interface Pod extends Json {
  readonly metadata: { readonly labels: Texts; readonly annotations?: Texts };
  readonly spec: Json & {
    readonly containers: Container[];
    readonly initContainers?: Container[];
    readonly volumes?: Json[];
  };
}

const container = (name: string, more: Json = {}): Container => ({ name, image: 'shop', ...more });

const pod = (more: Json = {}, annotations?: Texts, name = 'wechat-main'): Pod => ({
  metadata: { labels: { 'paycert.dev/inject': name }, ...(annotations && { annotations }) },
  spec: { containers: [container('shop')], securityContext: {}, ...more },
});

const request = (object: Json) =>
  ({ kind: { kind: 'Pod' }, namespace: 'pay', operation: 'CREATE', object }) as unknown as ReviewRequest;

/** RFC 6902 §4.1: nothing but `add` is used. */
function apply(object: Json, patch: readonly Operation[]): Pod {
  const result = structuredClone(object);
  for (const { op, path, value } of patch) {
    assert.equal(op, 'add');
    const steps = path.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.at(-1)!;
    const parent = steps.slice(1, -1).reduce<unknown>((at, step) => (at as Json)[step], result);
    const copy = structuredClone(value);
    if (Array.isArray(parent)) parent.splice(last === '-' ? parent.length : Number(last), 0, copy);
    else (parent as Record<string, unknown>)[last] = copy;
  }
  return result as Pod;
}

function injectInto(object: Pod, more: object = {}): { readonly after: Pod; readonly injection: Injection } {
  const injection = inject(request(object), { ...options, ...more });
  return { after: apply(object, injection.patch), injection };
}

/** Everything that was there is there, in its order; only before the init containers is something new. */
function assertKept(before: unknown, after: unknown, at = ''): void {
  if (Array.isArray(before)) {
    const items = after as unknown[];
    const offset = at.endsWith('/initContainers') ? items.length - before.length : 0;
    for (const [index, item] of before.entries()) assertKept(item, items[index + offset], `${at}/${index}`);
  } else if (typeof before === 'object' && before !== null) {
    for (const [name, value] of Object.entries(before)) assertKept(value, (after as Json)[name], `${at}/${name}`);
  } else assert.equal(after, before, at);
}

const sidecarOf = ({ spec }: Pod) => spec.initContainers![0] as Sidecar;
const configOf = (after: Pod) => parseConfig(sidecarOf(after).env[0].value);
const everyOf = ({ spec }: Pod) => [...(spec.initContainers ?? []), ...spec.containers];

/** The names of the containers in which that text is. */
const namesWith = (after: Pod, text: string) =>
  everyOf(after)
    .filter((one) => JSON.stringify(one).includes(text))
    .map(({ name }) => name);

function refusalsOf(object: Pod): string {
  try {
    inject(request(object), options);
    return '';
  } catch (error) {
    assert.ok(error instanceof PaycertError, String(error));
    return [error, ...error.others].map(({ code, message }) => `${code}: ${message}`).join('\n');
  }
}

describe('key services that the platform team names', () => {
  const hashivault = {
    address: 'https://vault.example:8200',
    auth: { kubernetes: { role: 'paycert', tokenFile: '/var/run/secrets/paycert.dev/key-services/token' } },
  };

  it('are in every injected sidecar, with a token and files that no other container has', () => {
    const keyServices = { services: { hashivault }, audience: 'vault', configMap: 'vault-ca' };
    const { after } = injectInto(pod(), { keyServices });
    assert.deepEqual(configOf(after).keyServices, { hashivault });
    const volume = (name: string) => after.spec.volumes?.find((one) => one['name'] === name);
    const token = { path: 'token', audience: 'vault', expirationSeconds: 3600 };
    assert.deepEqual(volume('paycert-key-token')?.['projected'], { defaultMode: 0o444, sources: [{ serviceAccountToken: token }] }); // prettier-ignore
    assert.deepEqual(volume('paycert-key-services')?.['configMap'], { name: 'vault-ca', defaultMode: 0o444, optional: true }); // prettier-ignore
    for (const name of ['paycert-key-token', 'paycert-key-services']) assert.deepEqual(namesWith(after, name), ['paycert']); // prettier-ignore
  });

  it('are in none where there are none, and bring no volume that is not asked for', () => {
    assert.equal(configOf(injectInto(pod()).after).keyServices, undefined);
    const { after } = injectInto(pod(), { keyServices: { services: { hashivault } } });
    assert.doesNotMatch(JSON.stringify(after.spec.volumes), /paycert-key-/);
  });
});

describe('a Pod with the label', () => {
  it('gets a native sidecar first, with probes and a restricted security context', () => {
    const before = pod({ initContainers: [container('migrate')] });
    const { after, injection } = injectInto(before);
    assertKept(before, after);
    assert.deepEqual(injection.credentials, ['wechat-main']);
    assert.deepEqual(everyOf(after).map(({ name }) => name), ['paycert', 'migrate', 'shop']); // prettier-ignore
    const sidecar = sidecarOf(after);
    assert.equal(sidecar['restartPolicy'], 'Always');
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) assert.ok(sidecar[probe], probe);
    assert.deepEqual(sidecar['securityContext'], {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('gives the sidecar alone the collector that a Pod names', () => {
    const variable = { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' };
    const { after } = injectInto(pod({}, { 'paycert.dev/otlp-endpoint': variable.value }));
    assert.deepEqual(sidecarOf(after).env.slice(2), [variable]);
    assert.deepEqual(namesWith(after, variable.name), ['paycert']);
    assert.deepEqual(sidecarOf(injectInto(pod()).after).env.length, 2);
  });

  it('is told of annotations that count for nothing, and of a limit that its request gives way to', () => {
    const { after, injection } = injectInto(pod({}, { 'paycert.dev/cpulimit': '1', 'paycert.dev/memory-limit': '64Mi' }));
    assert.match(injection.warnings.join('\n'), /^Annotation paycert\.dev\/memory-limit is below .*\nAnnotation paycert\.dev\/cpulimit counts for nothing: .* \(did you mean cpu-limit\?\)\.$/);
    assert.deepEqual(sidecarOf(after)['resources'], { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '64Mi' } });
  }); // prettier-ignore

  it('has the socket in each container, by a group and never fsGroup, and a record of what it got', () => {
    const { after } = injectInto(pod({ containers: [container('shop'), container('worker', { env: [] })] }));
    for (const one of after.spec.containers) {
      assert.deepEqual(one['volumeMounts'], [{ name: 'paycert-socket', mountPath: '/run/paycert', readOnly: true }]);
      assert.deepEqual(one['env'], [{ name: 'PAYCERT_SOCKET', value: '/run/paycert/paycert.sock' }]);
    }
    assert.deepEqual(after.spec['securityContext'], { supplementalGroups: [65532] });
    const kinds = after.spec.volumes!.map((volume) => Object.keys(volume));
    assert.deepEqual(kinds, [['name', 'emptyDir'], ['name', 'emptyDir'], ['name', 'secret']]); // prettier-ignore
    const { labels, annotations } = after.metadata;
    assert.deepEqual(labels, {
      'paycert.dev/inject': 'wechat-main',
      'paycert.dev/sidecar': 'true',
      'paycert.dev/refresh': 'wechat-main',
    });
    assert.deepEqual(JSON.parse(annotations!['paycert.dev/injected']!), {
      version: '0.1.0',
      image: 'paycert:0.1.0',
      credentials: ['wechat-main'],
      containers: ['shop', 'worker'],
    });
  });

  it('keeps what was accepted for a restart of the container, in memory that no other container mounts', () => {
    const { after } = injectInto(pod());
    assert.deepEqual(configOf(after).lastGood, { directory: '/run/paycert-last-good/keys' });
    assert.deepEqual(namesWith(after, 'paycert-last-good'), ['paycert']);
    const volume = after.spec.volumes!.find(({ name }) => name === 'paycert-last-good');
    assert.deepEqual(volume?.['emptyDir'], { medium: 'Memory', sizeLimit: '16Mi' });
    assert.deepEqual(namesWith(after, 'metadata.uid'), ['paycert']);
  });

  it('has a configuration that a sidecar takes: the first credential required, each from its mount, and no Pod waits for the others', () => {
    const { after } = injectInto(
      pod({}, { 'paycert.dev/credentials': 'alipay-main', 'paycert.dev/log-level': 'warn' }),
    );
    const { credentials, listen, log, admin } = configOf(after);
    assert.deepEqual(credentials, [
      {
        name: 'wechat-main',
        provider: { wechatpay: { merchantId: '1900000001' } },
        source: { files: { path: '/etc/paycert/keys/wechat-main' } },
        grace: '1d',
        required: true,
      },
      {
        name: 'alipay-main',
        provider: { alipay: { appId: '2014072300007148', mode: 'key' } },
        source: { files: { path: '/etc/paycert/keys/alipay-main', keys: { 'appCertPublicKey.crt': 'app.crt' } } },
        required: false,
      },
    ]);
    assert.deepEqual({ listen, log, admin }, {
      listen: { socket: '/run/paycert/paycert.sock' },
      log: { level: 'warn' },
      admin: { address: ':9464' },
    }); // prettier-ignore
    const secrets = after.spec.volumes!.flatMap(({ secret }) => secret ?? []);
    assert.deepEqual(secrets, [
      { secretName: 'keys', defaultMode: 0o444 },
      { secretName: 'alipay', defaultMode: 0o444, optional: true },
    ]);
    const mounts = sidecarOf(after).volumeMounts.map(({ name, mountPath }) => `${name} ${mountPath}`);
    assert.deepEqual(mounts.slice(2), ['paycert-keys-0 /etc/paycert/keys/wechat-main', 'paycert-keys-1 /etc/paycert/keys/alipay-main']); // prettier-ignore
  });

  it('asked again, also after another injector, is left as it is', () => {
    const { after } = injectInto(pod());
    assert.deepEqual(inject(request(after), options), { patch: [], warnings: [], credentials: [] });
    after.spec.initContainers!.unshift(container('mesh'));
    after.spec.containers.push(container('proxy'));
    assert.deepEqual(inject(request(after), options).patch, []);
  });

  it('keeps what it says itself: the label of the refresh, the variable, the mount, its groups', () => {
    const own = container('shop', {
      env: [{ name: 'PAYCERT_SOCKET', value: '/elsewhere' }],
      volumeMounts: [{ name: 'mine', mountPath: '/run/paycert/' }],
    });
    const securityContext = { supplementalGroups: [5], fsGroup: 7 };
    const before = pod({ containers: [own], volumes: [{ name: 'mine' }], securityContext });
    before.metadata.labels['paycert.dev/refresh'] = 'other';
    const { after } = injectInto(before);
    assertKept(before, after);
    assert.deepEqual(after.spec.containers, before.spec.containers);
    assert.deepEqual(after.spec['securityContext'], { supplementalGroups: [5, 65532], fsGroup: 7 });
    const twice = injectInto(pod({ securityContext: { supplementalGroups: [65532] } }));
    assert.deepEqual(twice.after.spec['securityContext'], { supplementalGroups: [65532] });
  });

  it('gives the socket to the containers that it names, init containers among them, and to no other', () => {
    const containers = [container('shop'), container('proxy')];
    const before = pod(
      { containers, initContainers: [container('migrate')] },
      { 'paycert.dev/containers': 'migrate,shop' },
    );
    assert.deepEqual(namesWith(injectInto(before).after, 'PAYCERT_SOCKET'), ['migrate', 'shop']);
  });

  it('gets another port where a container has the usual one', () => {
    const ports = [{ containerPort: 9464 }, { containerPort: 9465 }];
    const { after } = injectInto(pod({ containers: [container('shop', { ports })] }));
    assert.equal(sidecarOf(after).ports[0].containerPort, 9466);
    assert.deepEqual(configOf(after).admin, { address: ':9466' });
  });

  it('asks the API first where it says so, with a token of the sidecar alone', () => {
    const { after } = injectInto(pod({}, { 'paycert.dev/source': 'api' }));
    assert.deepEqual(configOf(after).credentials[0]!.source, {
      fallback: [{ secret: { name: 'keys' } }, { files: { path: '/etc/paycert/keys/wechat-main' } }],
    });
    assert.deepEqual(namesWith(after, 'kubernetes.io/serviceaccount'), ['paycert']);
  });

  it('mounts both Secrets of two staged sets, and starts without either', () => {
    const { after } = injectInto(pod({}, undefined, 'staged'));
    const { current, next, activate, activationFile } = configOf(after).credentials[0]!.source.staged!;
    assert.equal(activationFile, '/etc/paycert/pod/activations');
    assert.equal(after.metadata.annotations?.['paycert.dev/activations'], '{"staged":{"percent":5}}');
    assert.deepEqual(after.spec.volumes!.flatMap(({ downwardAPI }) => downwardAPI ?? []), [
      {
        defaultMode: 0o444,
        items: [{ path: 'activations', fieldRef: { fieldPath: "metadata.annotations['paycert.dev/activations']" } }],
      },
    ]); // prettier-ignore
    assert.deepEqual([current, next, activate], [
      { files: { path: '/etc/paycert/keys/staged' } },
      { files: { path: '/etc/paycert/next-keys/staged', keys: { apiv3_key: 'v3' } } },
      { percent: 5 },
    ]); // prettier-ignore
    const secrets = after.spec.volumes!.flatMap(({ secret }) => secret ?? []);
    assert.deepEqual(secrets, [
      { secretName: 'keys', defaultMode: 0o444, optional: true },
      { secretName: 'next', defaultMode: 0o444, optional: true },
    ]);
    const mounts = sidecarOf(after).volumeMounts.map(({ name, mountPath }) => `${name} ${mountPath}`);
    assert.ok(mounts.includes('paycert-keys-0 /etc/paycert/keys/staged'));
    assert.ok(mounts.includes('paycert-next-0 /etc/paycert/next-keys/staged'));
    const { after: asking } = injectInto(pod({}, { 'paycert.dev/source': 'api' }, 'staged'));
    assert.deepEqual(configOf(asking).credentials[0]!.source.staged?.next.fallback?.[0], {
      secret: staged.next.secret,
    });
  });

  it('mounts what the operator downloads beside the keys, and starts without it', () => {
    const { after } = injectInto(pod({}, undefined, 'listed'));
    const directories = ['/etc/paycert/keys/listed', '/etc/paycert/platform-certificates/listed'];
    assert.deepEqual(configOf(after).credentials[0]!.source, { files: { path: directories } });
    const secrets = after.spec.volumes!.flatMap(({ secret }) => secret ?? []);
    assert.deepEqual(secrets, [
      { secretName: 'keys', defaultMode: 0o444 },
      { secretName: 'platform', defaultMode: 0o444, optional: true },
    ]);
    const mounts = sidecarOf(after).volumeMounts.map(({ name, mountPath }) => `${name} ${mountPath}`);
    assert.ok(mounts.includes('paycert-platform-0 /etc/paycert/platform-certificates/listed'));
    const [asking] = configOf(injectInto(pod({}, { 'paycert.dev/source': 'api' }, 'listed')).after).credentials;
    assert.deepEqual(asking?.platformCertificates, { secret: 'platform' });
  });

  it('may not ask the API where a container has the token of the same account', () => {
    const volumes = [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }];
    const api = { 'paycert.dev/source': 'api' };
    for (const mount of [
      { name: 'token', mountPath: '/elsewhere' },
      { name: 'secret-of-an-account', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
      { name: 'the-same', mountPath: '/run/secrets/kubernetes.io/serviceaccount' },
    ]) {
      const object = pod({ volumes, containers: [container('shop', { volumeMounts: [mount] })] }, api);
      assert.match(refusalsOf(object), /^injection-refused: annotation paycert\.dev\/source is api, and a container has the token/); // prettier-ignore
    }
    assert.equal(refusalsOf(pod({ volumes }, api)), '');
  });

  for (const [reason, more] of [
    ['hostNetwork', { hostNetwork: true }],
    ['shareProcessNamespace', { shareProcessNamespace: true }],
    ['Windows', { os: { name: 'windows' } }],
  ] as const)
    it(`gets nothing, and a warning, where it has ${reason}`, () => {
      const { patch, warnings } = inject(request(pod(more)), options);
      assert.deepEqual(patch, []);
      assert.match(warnings.join(), new RegExp(`^The Pod gets no sidecar of paycert: .*${reason}`));
    });

  it('with a container of that name of its own gets nothing, and a warning', () => {
    const { patch, warnings } = inject(request(pod({ containers: [container('paycert')] })), options);
    assert.deepEqual(patch, []);
    assert.match(warnings.join(), /has a container paycert already/);
  });

  it('gets no key of a suspended credential, and is refused where it has no other', () => {
    const { after, injection } = injectInto(pod({}, { 'paycert.dev/credentials': 'gone' }));
    assert.match(injection.warnings.join(), /^PaymentCredential gone is suspended/);
    assert.doesNotMatch(JSON.stringify(after.spec), /gone|"old"/);
    assert.match(refusalsOf(pod({}, undefined, 'gone')), /^injection-refused: label paycert\.dev\/inject names gone, which is suspended/); // prettier-ignore
  });

  const socket = { name: 'paycert-socket', hostPath: { path: '/' } };
  for (const [what, object, expected] of [
    ['names no PaymentCredential of its namespace', pod({}, undefined, 'none'), /^injection-refused: label paycert\.dev\/inject names none, and there is no such PaymentCredential here$/],
    ['names one that is invalid', pod({}, { 'paycert.dev/credentials': 'odd' }), /^injection-refused: annotation paycert\.dev\/credentials names odd, whose spec/],
    ['names a container that it has not', pod({}, { 'paycert.dev/containers': 'web' }), /annotation paycert\.dev\/containers names web, and the Pod has no such container/],
    ['has a volume under a name of the sidecar', pod({ volumes: [socket] }), /volume paycert-socket is there/],
  ] as const)
    it(`is refused where it ${what}`, () => assert.match(refusalsOf(object), expected)); // prettier-ignore

  it('has in its configuration nothing that kubelet would replace', () => {
    const { after } = injectInto(pod({}, undefined, 'dollar'));
    assert.doesNotMatch(sidecarOf(after).env[0].value, /\$/);
    assert.deepEqual(configOf(after).credentials[0]!.source.files?.keys, { a: '$(PATH)"\n' });
  });

  it('of any shape is patched by additions alone, or refused', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const few = <T>(one: fc.Arbitrary<T>, minLength = 0) => fc.array(one, { minLength, maxLength: 3 });
    const or = (...words: readonly string[]) => fc.oneof(fc.constantFrom(...words), text);
    const someContainer = fc.record(
      {
        name: or('shop', 'paycert', 'a~b/c'),
        env: few(fc.record({ name: or('PAYCERT_SOCKET') })),
        volumeMounts: few(fc.record({ name: text, mountPath: or('/run/paycert') })),
        ports: few(fc.record({ containerPort: fc.constantFrom(9464, 80) })),
      },
      { requiredKeys: ['name'] },
    );
    const groups = fc.record({ supplementalGroups: few(fc.constantFrom(1, 65532)) }, { requiredKeys: [] });
    const some = {
      containers: few(someContainer, 1),
      initContainers: few(someContainer),
      volumes: few(fc.record({ name: or('paycert-x') })),
      securityContext: groups,
      hostNetwork: fc.boolean(),
    };
    const noted = fc.option(fc.dictionary(or('paycert.dev/containers'), text), { nil: undefined });
    fc.assert(
      fc.property(fc.record(some, { requiredKeys: ['containers'] }), noted, (spec, annotations) => {
        const before = pod(spec, annotations);
        try {
          const { after } = injectInto(before);
          assertKept(before, after);
          assert.deepEqual(inject(request(after), options).patch, []);
        } catch (error) {
          assert.ok(error instanceof PaycertError, String(error));
        }
      }),
    );
  });
});
