// WeChat Pay material for tests: one merchant, its keys made once per file, and what a load of changed files says.
import assert from 'node:assert/strict';
import type { ErrorCode } from '../../src/errors.ts';
import type { KeySet } from '../../src/providers/provider.ts';
import type { WechatpayOptions } from '../../src/providers/wechatpay/options.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { createWechatpayMaterial, type Files, type WechatpayMaterialOptions } from '../../src/testing/index.ts';
import { type FlatContext, flatten } from './flatten.ts';

export const merchantId = '1900000001';
export const now = new Date('2026-03-01T00:00:00Z');
export const later = (milliseconds: number): Date => new Date(now.getTime() + milliseconds);

export const makeMaterial = (options: Partial<WechatpayMaterialOptions> = {}) =>
  createWechatpayMaterial({ merchantId, now, ...options });

/** The files with some replaced, added, or (undefined) left out. */
export function withFiles(
  files: Files,
  changes: Readonly<Record<string, string | Uint8Array | undefined>>,
): Map<string, Uint8Array> {
  const changed = new Map(files);
  for (const [name, content] of Object.entries(changes)) {
    if (content === undefined) changed.delete(name);
    else changed.set(name, typeof content === 'string' ? Buffer.from(content) : content);
  }
  return changed;
}

export const load = async (files: Files, options: Partial<WechatpayOptions> = {}): Promise<FlatContext> =>
  flatten(await wechatpay({ merchantId, ...options }).load(files));

/** A load that must be fit, with every operation of the provider. */
export async function loadFit(files: Files, options: Partial<WechatpayOptions> = {}) {
  const context = await load(files, options);
  assert.deepEqual(context.problems, []);
  const { sign, authorize, verify, encrypt, decrypt, openNotification, paymentParameters } = context;
  assert.ok(sign && authorize && verify && encrypt && decrypt && openNotification && paymentParameters);
  return { ...context, sign, authorize, verify, encrypt, decrypt, openNotification, paymentParameters };
}

/** `code field` of every problem, in order. */
export const problemsOf = async (files: Files, options: Partial<WechatpayOptions> = {}): Promise<string[]> =>
  (await load(files, options)).problems.map(({ code, field = '-' }) => `${code} ${field}`);

export const warningsOf = (context: Pick<KeySet, 'warnings'>, at = now): string[] =>
  context.warnings(at).map(({ code, field = '-' }) => `${code} ${field}`);

/** What `assert.rejects` compares: the code, and nothing of the message. */
export const refusal = (code: ErrorCode) => ({ name: 'PaycertError', code });
