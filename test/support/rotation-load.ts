// Callers that sign without a pause while the key rotates: none may fail, and nothing may be signed by another key than it says.
import assert from 'node:assert/strict';
import { type KeyObject, verify } from 'node:crypto';
import type { TestContext } from 'node:test';

export interface RotationLoad {
  readonly callers?: number;
  readonly swaps?: number;
  readonly sign: (text: string) => Promise<{ readonly signature: Uint8Array; readonly keyId: string }>;
  /** By the ids that signatures name. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** `swap` counts from 1: the sets take turns, and the second is the first to come. Resolves once it is current. */
  readonly rotate: (swap: number) => Promise<void>;
}

/** @throws what the first caller got that was no signature */
export async function signUnderRotations(t: TestContext, load: RotationLoad): Promise<void> {
  const { callers = 16, swaps = 20, sign, keys, rotate } = load;
  const state = { isRotating: true, signed: 0, wake: (): void => undefined };
  const wrong: string[] = [];
  const used = new Set<string>();
  const caller = async () => {
    while (state.isRotating) {
      const text = `request ${String(state.signed++)}`;
      const { signature, keyId } = await sign(text);
      used.add(keyId);
      state.wake();
      if (!verify('sha256', Buffer.from(text), keys.get(keyId)!, signature)) wrong.push(text);
    }
  };
  /** Each caller may have signed with the key that came. */
  const round = async () => {
    for (let left = callers; left > 0; left--) await new Promise<void>((resolve) => (state.wake = resolve));
  };
  const calls = Promise.all(Array.from({ length: callers }, caller));
  try {
    for (let swap = 1; swap <= swaps; swap++) await Promise.race([rotate(swap).then(round), calls]);
  } finally {
    state.isRotating = false;
  }
  await calls;
  t.diagnostic(`${String(state.signed)} signatures, ${String(wrong.length)} wrong, over ${String(swaps)} rotations`);
  assert.deepEqual(wrong, []);
  assert.equal(used.size, keys.size);
  assert.ok(state.signed >= callers * swaps, String(state.signed));
}
