// A namespace whose writes a real API server has reviewed over HTTPS, and what somebody writes there.
import type { TestContext } from 'node:test';
import type { Files } from '../../src/testing/secret-volume.ts';
import { askAt, startReviewing } from './admission.ts';
import type { Attempt, ControlPlane, Json } from './control-plane.ts';
import { toData } from './mutated-secrets.ts';
import { Tenant, until, wechatpaySpec } from './operator.ts';

export const usedBy = { 'paycert.dev/used-by': 'wechat-main' };

interface Metadata {
  readonly labels?: Json;
  readonly annotations?: Json;
}

/** What somebody writes, and what the API server says to it. */
export class Writer {
  readonly tenant: Tenant;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  secret(
    files: Files,
    {
      metadata = { labels: usedBy },
      query = '',
      method = 'POST',
    }: { metadata?: Metadata; query?: string; method?: 'POST' | 'PUT' } = {},
  ): Promise<Attempt> {
    const path = `/api/v1/namespaces/${this.tenant.namespace}/secrets${method === 'PUT' ? '/keys' : ''}${query}`;
    return this.tenant.plane.attempt(method, path, { metadata: { name: 'keys', ...metadata }, data: toData(files) });
  }

  resource(name: string, spec: Json, query = ''): Promise<Attempt> {
    const path = `/apis/paycert.dev/v1alpha1/namespaces/${this.tenant.namespace}/paymentcredentials${query}`;
    const object = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: { name }, spec };
    return this.tenant.plane.attempt('POST', path, object);
  }
}

export const messageOf = ({ object }: Attempt): string => String(object['message']);

/** A namespace whose Secrets are reviewed, with a resource that names `keys`. */
export async function setUpReviews(t: TestContext, plane: ControlPlane, changes: Json = {}) {
  const tenant = await Tenant.make(plane);
  const { namespace } = tenant;
  const running = await startReviewing(t, plane, { namespaces: [namespace] });
  const { reviews: address, authority } = running;
  const ask = () => askAt(t, plane, { address, authority, namespace, changes });
  const writer = new Writer(tenant);
  await ask();
  // The API server reads its configuration a moment after it is stored.
  await until(async () => {
    await writer.resource('probe', wechatpaySpec('keys'), '?dryRun=All');
    return running.recorder.of('reviewed').length > 0;
  }, 'the webhook is asked');
  await tenant.create('wechat-main', wechatpaySpec('keys'));
  await until(async () => (await tenant.status('wechat-main')) !== undefined, 'the resource is known');
  return { ...running, plane, tenant, writer };
}
