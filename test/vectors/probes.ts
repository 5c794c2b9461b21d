// WeChat Pay's own tests: wrong signatures on purpose, some of them marked WECHATPAY/SIGNTEST/.
import { PaycertError } from '../../src/errors.ts';
import { readResponseSignature } from '../../src/providers/wechatpay/messages.ts';
import { checkVerify, headersOf } from './signatures.ts';
import type { Situation } from './situation.ts';
import { clockOf } from './moments.ts';

/** A probe is refused before its serial or signature is looked at, and told apart from forgeries. */
export async function checkProbe(situation: Situation): Promise<void> {
  const headers = headersOf(situation) ?? {
    'Wechatpay-Timestamp': situation.text('timestamp') ?? '1700000000',
    'Wechatpay-Nonce': situation.text('nonce') ?? 'nonce',
    'Wechatpay-Signature': situation.need('signature'),
    'Wechatpay-Serial': situation.text('serial', 'serial_no') ?? '00',
  };
  const code = refusalCode(() => readResponseSignature(headers, clockOf(situation, headers)));
  const label = situation.expects('probe', 'is_probe', 'signtest', 'is_signtest', 'label', 'reason');
  if (label !== undefined) {
    const isProbe = typeof label === 'string' ? /probe|signtest/i.test(label) : label === true;
    situation.equal('whether it is taken for a probe', code === 'signature-probe', isProbe);
  }
  if (situation.verdict === undefined) return;
  if (code === undefined) await checkVerify(situation);
  else situation.assert(situation.verdict === 'refused', `was refused: ${code}`);
}

function refusalCode(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof PaycertError) return error.code;
    throw error;
  }
}
