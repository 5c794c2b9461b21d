// What the gateway double answers to alipay.user.certify.open.*: a person proves who she is on a page of Alipay's (protocols 3).
import { randomUUID } from 'node:crypto';

/** Certify id → whether the person has been on the page. */
export type Certifications = Map<string, boolean>;

type Json = Readonly<Record<string, unknown>>;

const failed = (subCode: string): Json => ({ code: '40004', msg: 'Business Failed', sub_code: subCode });

/** The members of the response; `page` where the browser is redirected; nothing for a method of another family. */
export function answerCertify(apiMethod: string, business: Json, known: Certifications): Json | 'page' | undefined {
  const { outer_order_no: orderNumber, certify_id: certifyId } = business;
  switch (apiMethod) {
    case 'alipay.user.certify.open.initialize': {
      if (typeof orderNumber !== 'string' || !/^[0-9A-Za-z]{1,32}$/.test(orderNumber))
        return failed('INVALID_PARAMETER');
      const id = randomUUID().replaceAll('-', '');
      known.set(id, false);
      return { certify_id: id };
    }
    case 'alipay.user.certify.open.certify':
      if (typeof certifyId !== 'string' || !known.has(certifyId)) return failed('CERTIFY_ID_NOT_EXIST');
      known.set(certifyId, true);
      return 'page';
    case 'alipay.user.certify.open.query': {
      const isDone = typeof certifyId === 'string' ? known.get(certifyId) : undefined;
      return isDone === undefined ? failed('CERTIFY_ID_NOT_EXIST') : { passed: isDone ? 'T' : 'F' };
    }
    default:
      return undefined;
  }
}
