// Keys of one merchant, all made at the beginning: whoever verifies signatures knows every certificate from then on.
import assert from 'node:assert/strict';
import { createWechatpayMaterial, rotateMerchant, type WechatpayMaterial } from '../../src/testing/index.ts';

export const merchantId = '1900000001';

/** As many as the story deploys; some rotations come back to an older one. */
const count = 16;

export class Materials {
  readonly #all: readonly WechatpayMaterial[];
  #used = 0;

  private constructor(all: readonly WechatpayMaterial[]) {
    this.#all = all;
  }

  static async make(): Promise<Materials> {
    const now = new Date();
    const first = await createWechatpayMaterial({ merchantId, now });
    const others = Array.from({ length: count - 1 }, () => rotateMerchant(first, { now }));
    return new Materials([first, ...(await Promise.all(others))]);
  }

  /** Another merchant key each time. */
  next(): WechatpayMaterial {
    const material = this.#all[this.#used++];
    assert.ok(material, 'raise the count');
    return material;
  }

  /** The same ones again and again. */
  at(index: number): WechatpayMaterial {
    return this.#all[index % count]!;
  }

  /** PEM by serial number. */
  certificates(): Record<string, string> {
    return Object.fromEntries(this.#all.map(({ merchant }) => [merchant.serialNumber, merchant.certificate]));
  }

  /** Texts that only the Secret may hold: a line of each private key, and the APIv3 key. */
  secrets(): string[] {
    const lineOf = ({ files }: WechatpayMaterial) =>
      Buffer.from(files.get('apiclient_key.pem')!).toString().split('\n')[5]!;
    return [this.at(0).apiV3Key, ...this.#all.map(lineOf)];
  }
}
