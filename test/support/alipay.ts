// Alipay material for tests: one application, and what a load of changed files says.
import assert from 'node:assert/strict';
import type { ErrorCode } from '../../src/errors.ts';
import type { AlipayOptions } from '../../src/providers/alipay/options.ts';
import { alipay } from '../../src/providers/alipay/provider.ts';
import type { AuthorizedRequest } from '../../src/providers/provider.ts';
import { type AlipayMaterialOptions, createAlipayMaterial, type Files } from '../../src/testing/index.ts';
import { type FlatContext, flatten } from './flatten.ts';
import { exchange } from './http-client.ts';

export const appId = '2021000000000001';
export const now = new Date('2026-03-01T16:30:00Z');
export const moment = { now, nonce: '0123456789abcdef0123456789abcdef' };

export const makeMaterial = (options: Partial<AlipayMaterialOptions> = {}) =>
  createAlipayMaterial({ appId, now, ...options });

const defaults: AlipayOptions = { appId, mode: 'certificate' };

export const load = async (files: Files, options: Partial<AlipayOptions> = {}): Promise<FlatContext> =>
  flatten(await alipay({ ...defaults, ...options }).load(files));

/** A load that must be fit, with every operation of the provider. */
export async function loadFit(files: Files, options: Partial<AlipayOptions> = {}) {
  const context = await load(files, options);
  assert.deepEqual(context.problems, []);
  const { sign, authorize, verify, decrypt, openNotification, paymentParameters } = context;
  assert.ok(sign && authorize && verify && decrypt && openNotification && paymentParameters);
  return { ...context, sign, authorize, verify, decrypt, openNotification, paymentParameters };
}

/** `code field` of every problem, in order. */
export const problemsOf = async (files: Files, options: Partial<AlipayOptions> = {}): Promise<string[]> =>
  (await load(files, options)).problems.map(({ code, field = '-' }) => `${code} ${field}`);

/** Sends what authorize returned to the double at that address, instead of Alipay's own. */
export function send(base: string, { method, url, headers, body }: AuthorizedRequest, given?: Uint8Array) {
  const { pathname, search } = new URL(url, base);
  return exchange(new URL(base).host, { method, path: pathname + search, headers, body: body ?? given });
}

/** What `assert.rejects` compares: the code and, if given, the field; nothing of the message. */
export const refusal = (code: ErrorCode, field?: string) => ({
  name: 'PaycertError',
  code,
  ...(field !== undefined && { field }),
});
