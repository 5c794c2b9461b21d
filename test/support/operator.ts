// The operator on the API server of a test: the resource's definition installed, credentials made, and what became of them.
import { defaultTiming } from '../../src/kube/lease-record.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parse } from 'yaml';
import { type OperatorOptions, runOperator } from '../../src/cli/operator.ts';
import { systemClock } from '../../src/clock.ts';
import type { Status } from '../../src/operator/resource.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import type { ControlPlane, Json } from './control-plane.ts';
import { Recorder } from './recorder.ts';

const crdFile = new URL('../../deploy/crds/paymentcredentials.paycert.dev.yaml', import.meta.url);
export const merchantId = '1900000001';

/** Installs the definition and waits until it is served. */
export async function installDefinition(plane: ControlPlane, definition?: unknown): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await plane.admin('POST', path, definition ?? parse(await readFile(crdFile, 'utf8')));
  // It says that it is established a moment before it is.
  const served = '/apis/paycert.dev/v1alpha1/paymentcredentials';
  const isServed = () =>
    plane.admin('GET', served).then(
      () => true,
      () => false,
    );
  await until(isServed, 'the definition is served');
}

/** Asks again and again: the API server is real, and tells nobody here. */
export async function until(isSo: () => Promise<boolean> | boolean, what = 'it'): Promise<void> {
  const deadline = Date.now() + 240_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `${what} is not so after four minutes`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const collection = (namespace: string) => `/apis/paycert.dev/v1alpha1/namespaces/${namespace}/paymentcredentials`;

export const wechatpaySpec = (secret: string, more: Json = {}): Json => ({
  provider: { wechatpay: { merchantId } },
  source: { secret: { name: secret } },
  ...more,
});

/** One namespace of a test and what is in it. */
export class Tenant {
  readonly plane: ControlPlane;
  readonly namespace: string;

  private constructor(plane: ControlPlane, namespace: string) {
    this.plane = plane;
    this.namespace = namespace;
  }

  static async make(plane: ControlPlane): Promise<Tenant> {
    return new Tenant(plane, await plane.makeNamespace());
  }

  async create(name: string, spec: Json, query = ''): Promise<Json> {
    const object = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: { name }, spec };
    return this.plane.admin('POST', `${collection(this.namespace)}${query}`, object);
  }

  async patch(name: string, spec: Json): Promise<Json> {
    const path = `${collection(this.namespace)}/${name}`;
    return this.plane.admin('PATCH', path, { spec }, 'application/merge-patch+json');
  }

  async list(accept: string): Promise<Json> {
    return this.plane.admin('GET', collection(this.namespace), undefined, undefined, accept);
  }

  async remove(name: string): Promise<void> {
    await this.plane.admin('DELETE', `${collection(this.namespace)}/${name}`);
  }

  async write(secret: string, files: Files, metadata: Json = {}): Promise<void> {
    await this.plane.writeSecret(this.namespace, secret, Object.fromEntries(files));
    if (Object.keys(metadata).length > 0)
      await this.plane.admin('PATCH', this.#secretPath(secret), { metadata }, 'application/merge-patch+json');
  }

  async removeSecret(secret: string): Promise<void> {
    await this.plane.admin('DELETE', this.#secretPath(secret));
  }

  #secretPath(secret: string): string {
    return `/api/v1/namespaces/${this.namespace}/secrets/${secret}`;
  }

  /** As an operator has written it. */
  async status(name: string): Promise<Status | undefined> {
    const { status } = await this.plane.admin('GET', `${collection(this.namespace)}/${name}`);
    return (status as Status).observedGeneration === -1 ? undefined : (status as Status);
  }

  async version(name: string): Promise<string> {
    const { metadata } = await this.plane.admin('GET', `${collection(this.namespace)}/${name}`);
    return (metadata as { resourceVersion: string }).resourceVersion;
  }

  /** The status once a condition has that status and reason. */
  async condition(name: string, type: string, wanted: string): Promise<Status & { readonly message: string }> {
    let status: Status | undefined;
    let told = 'nothing';
    await until(async () => {
      status = await this.status(name);
      const found = status?.conditions.find((condition) => condition.type === type);
      told = `${String(found?.status)} ${String(found?.reason)}`;
      return told === wanted;
    }, `${name}: ${type} ${wanted}`).catch((error: unknown) => {
      throw new Error(`${String(error)}, but ${told}`);
    });
    assert.ok(status);
    return { ...status, message: status.conditions.find((condition) => condition.type === type)!.message };
  }

  /** Of every Event in the namespace: `type reason object`. */
  async events(): Promise<string[]> {
    const { items } = await this.plane.admin('GET', `/apis/events.k8s.io/v1/namespaces/${this.namespace}/events`);
    return (items as { type: string; reason: string; regarding: { kind: string; name: string } }[]).map(
      ({ type, reason, regarding }) => `${type} ${reason} ${regarding.kind}/${regarding.name}`,
    );
  }
}

/** Whoever runs an operator with these rules in one namespace. */
export async function makeAccount(
  tenant: Tenant,
  rules: readonly Json[],
  name = 'operator',
): Promise<{ KUBECONFIG: string }> {
  const { plane, namespace } = tenant;
  const directory = await plane.makeServiceAccount(namespace, name, rules);
  const token = await readFile(join(directory, 'token'), 'utf8');
  return { KUBECONFIG: await plane.kubeconfig(namespace, undefined, token) };
}

export const rule = (apiGroup: string, resources: readonly string[], ...verbs: readonly string[]): Json => ({ apiGroups: [apiGroup], resources, verbs }); // prettier-ignore
/** What docs/operator.md says it needs, beside Secrets. */
export const leastRules = [
  rule('paycert.dev', ['paymentcredentials'], 'get', 'list', 'watch'),
  rule('paycert.dev', ['paymentcredentials/status'], 'patch'),
  rule('events.k8s.io', ['events'], 'create'),
];
export const secretRules = [rule('', ['secrets'], 'get', 'list', 'watch')];

export interface Running {
  readonly recorder: Recorder;
  /** host:port of health and metrics. */
  readonly address: string;
  readonly stop: () => Promise<void>;
}

export type Overrides = Partial<OperatorOptions> & {
  /** The files of a service account, instead of the cluster's owner. */
  readonly environment?: OperatorOptions['environment'];
};

/** Runs until it is stopped, or the test ends. */
export async function startOperator(t: TestContext, plane: ControlPlane, overrides: Overrides = {}): Promise<Running> {
  const recorder = new Recorder();
  const stop = new AbortController();
  const listening = recorder.next('listening');
  const ended = runOperator(
    {
      namespaces: [],
      secrets: [],
      lease: undefined,
      timing: defaultTiming,
      concurrency: 8,
      refreshesPods: false,
      secretOptIn: false,
      address: '127.0.0.1:0',
      logLevel: 'debug',
      version: '0.0.0',
      clock: systemClock,
      environment: { KUBECONFIG: await plane.kubeconfig('default') },
      observe: recorder.observe,
      isSilent: true,
      ...overrides,
    },
    stop.signal,
  );
  const end = async () => {
    stop.abort();
    await ended;
  };
  t.after(end);
  const { address } = await Promise.race([listening, ended.then(() => assert.fail('the operator ended'))]);
  return { recorder, address, stop: end };
}
