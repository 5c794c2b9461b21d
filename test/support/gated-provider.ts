// WeChat Pay's provider with a gate before its signatures, so that a test decides what happens while they are made.
import type { Provider } from '../../src/providers/provider.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { merchantId } from './api-server.ts';

/** What waits at the gate; every other message is signed at once. */
export const held = 'held';

export class Gate {
  readonly #opening = Promise.withResolvers<undefined>();
  readonly #arrival = Promise.withResolvers<undefined>();

  /** Lets those that wait go on, and those that come later. */
  open(): void {
    this.#opening.resolve(undefined);
  }

  /** When a signature waits. */
  arrival(): Promise<void> {
    return this.#arrival.promise;
  }

  async pass(message: Uint8Array): Promise<void> {
    if (Buffer.from(message).toString() !== held) return;
    this.#arrival.resolve(undefined);
    await this.#opening.promise;
  }
}

export function gatedProvider(gate: Gate): Provider {
  const provider = wechatpay({ merchantId });
  return {
    ...provider,
    async load(data) {
      const context = await provider.load(data);
      const { sign } = context.operations;
      if (sign === undefined) return context;
      const gated: typeof sign = async (message, turn) => {
        await gate.pass(message);
        return sign(message, turn);
      };
      return { ...context, operations: { ...context.operations, sign: gated } };
    },
  };
}
