// What is injected, run on the machine of a test: the places of its container are in a directory.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Json } from './control-plane.ts';
import { call } from './sidecar.ts';

/** The configuration with those places. `admin`: where its admin port listens. */
export const placesIn = (directory: string, configuration: string, admin = '127.0.0.1:0'): string =>
  configuration
    .replaceAll('/etc/paycert/', `${directory}/`)
    .replaceAll('/run/paycert-last-good', join(directory, 'last-good'))
    .replaceAll('/run/paycert', directory)
    .replace('":9464"', `"${admin}"`);

/** What the sidecar there says to the application. */
export async function askInjected(directory: string, operation: string, body: Json, id?: string): Promise<Json> {
  const headers = id === undefined ? {} : { 'Request-Id': id };
  const path = `/v1/credentials/wechat-main/${operation}`;
  const { status, content } = await call(join(directory, 'paycert.sock'), path, { body, headers });
  assert.equal(status, 200, content);
  return JSON.parse(content) as Json;
}
