// The orders and refunds of the double of WeChat Pay v2: what each interface says, as its elements.
import { randomBytes } from 'node:crypto';

export type Elements = Readonly<Record<string, string>>;

interface Order {
  /** As the merchant sent it. */
  readonly request: Elements;
  readonly transactionId: string;
  state: 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED';
}

interface Refund {
  readonly request: Elements;
  readonly refundId: string;
  readonly order: Order;
  state: 'PROCESSING' | 'SUCCESS';
}

/** The orders of one merchant, by the merchant's numbers. */
export interface V2Orders {
  readonly orders: Map<string, Order>;
  readonly refunds: Map<string, Refund>;
}

/** Why it is not done: the platform's code and words, which it signs. */
class Declined extends Error {
  override readonly name = 'Declined';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A double that runs for days forgets the oldest. */
const maxOrders = 10_000;

const numberOf = (length: number): string => Array.from(randomBytes(length), (byte) => byte % 10).join('');
const amountOf = ({ request }: Pick<Refund, 'request'>): number => Number(request['refund_fee']);

const needed = ['body', 'out_trade_no', 'total_fee', 'notify_url', 'trade_type'];

/** The same number twice is the same order, unless it is paid or closed. */
function place({ orders }: V2Orders, request: Elements): Elements {
  const names = request['trade_type'] === 'JSAPI' ? [...needed, 'openid'] : needed;
  const missing = names.find((name) => !request[name]);
  if (missing !== undefined) throw new Declined('LACK_PARAMS', `缺少参数${missing}`);
  const { out_trade_no: number = '', trade_type: type = '' } = request;
  const known = orders.get(number);
  if (known?.state === 'CLOSED') throw new Declined('ORDERCLOSED', '订单已关闭');
  if (known !== undefined && known.state !== 'NOTPAY') throw new Declined('ORDERPAID', '该订单已支付');
  orders.set(number, { request, transactionId: known?.transactionId ?? `42000${numberOf(23)}`, state: 'NOTPAY' });
  const [oldest] = orders.keys();
  if (orders.size > maxOrders && oldest !== undefined) orders.delete(oldest);
  return {
    ...{ trade_type: type, prepay_id: `wx${numberOf(34)}` },
    ...(type === 'NATIVE' && { code_url: `weixin://wxpay/bizpayurl?pr=${number}` }),
    ...(type === 'MWEB' && { mweb_url: `https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${number}` }),
  };
}

/** By the merchant's number, or by the platform's. */
function find({ orders }: V2Orders, { out_trade_no: ours, transaction_id: theirs }: Elements): Order {
  const found = [...orders].find(([number, order]) => number === ours || order.transactionId === theirs)?.[1];
  if (found === undefined) throw new Declined('ORDERNOTEXIST', '此交易订单号不存在');
  return found;
}

const describe = ({ request, state, transactionId }: Order): Elements => {
  const { out_trade_no: number = '', total_fee: total = '', openid = '', trade_type: type = '' } = request;
  const paid = { transaction_id: transactionId, openid, trade_type: type, bank_type: 'OTHERS', cash_fee: total };
  const isPaid = state === 'SUCCESS' || state === 'REFUND';
  return { out_trade_no: number, total_fee: total, trade_state: state, ...(isPaid && paid) };
};

function close(all: V2Orders, request: Elements): Elements {
  const order = find(all, request);
  if (order.state !== 'NOTPAY' && order.state !== 'CLOSED') throw new Declined('ORDERPAID', '订单已支付，不能发起关单');
  order.state = 'CLOSED';
  return {};
}

/** The same number twice is the same refund. */
function refund(all: V2Orders, request: Elements): Elements {
  const { out_refund_no: number = '' } = request;
  const known = all.refunds.get(number);
  if (known !== undefined) return describeRefund(known);
  const order = find(all, request);
  if (order.state !== 'SUCCESS' && order.state !== 'REFUND') throw new Declined('TRADE_STATE_ERROR', '订单状态错误');
  const before = [...all.refunds.values()].filter((one) => one.order === order);
  const rest = before.reduce((sum, one) => sum - amountOf(one), Number(order.request['total_fee']));
  const amount = amountOf({ request });
  if (number === '' || !(amount > 0)) throw new Declined('PARAM_ERROR', '参数错误');
  if (amount > rest) throw new Declined('ERROR', '申请退款金额大于订单可退金额');
  order.state = 'REFUND';
  const made: Refund = { request, refundId: `50300${numberOf(23)}`, order, state: 'PROCESSING' };
  all.refunds.set(number, made);
  return describeRefund(made);
}

const describeRefund = ({ request, refundId, order }: Refund): Elements => ({
  ...{ out_trade_no: order.request['out_trade_no'] ?? '', transaction_id: order.transactionId, refund_id: refundId },
  ...{ out_refund_no: request['out_refund_no'] ?? '', refund_fee: request['refund_fee'] ?? '' },
  total_fee: order.request['total_fee'] ?? '',
});

function findRefund({ refunds }: V2Orders, { out_refund_no: number = '' }: Elements): Elements {
  const found = refunds.get(number);
  if (found === undefined) throw new Declined('REFUNDNOTEXIST', '不存在的退款单');
  const { refund_id: id = '', refund_fee: fee = '', out_refund_no: _, ...told } = describeRefund(found);
  const first = { out_refund_no_0: number, refund_id_0: id, refund_fee_0: fee, refund_status_0: found.state };
  return { ...told, refund_count: '1', ...first };
}

const interfaces: Readonly<Record<string, (all: V2Orders, request: Elements) => Elements>> = {
  '/pay/unifiedorder': place,
  '/pay/orderquery': (all, request) => describe(find(all, request)),
  '/pay/closeorder': close,
  '/secapi/pay/refund': refund,
  '/pay/refundquery': findRefund,
};

/** What the business says. An interface that is not kept here is done, and says nothing more. */
export function answerV2(path: string, all: V2Orders, request: Elements): Elements {
  try {
    return { result_code: 'SUCCESS', ...interfaces[path]?.(all, request) };
  } catch (error) {
    if (!(error instanceof Declined)) throw error;
    return { result_code: 'FAIL', err_code: error.code, err_code_des: error.message };
  }
}

/** What is posted to `notify_url` before it is signed or sealed. */
interface V2Notice {
  readonly url: string;
  readonly parameters: Elements;
}

/** @throws RangeError unless such an order waits to be paid */
export function payV2({ orders }: V2Orders, number: string): V2Notice {
  const order = orders.get(number);
  if (order?.state !== 'NOTPAY') throw new RangeError(`No order waits to be paid: ${number}`);
  order.state = 'SUCCESS';
  const { trade_state: _, ...parameters } = describe(order);
  return { url: order.request['notify_url'] ?? '', parameters };
}

/** @throws RangeError unless such a refund is on its way */
export function completeV2Refund({ refunds }: V2Orders, number: string): V2Notice {
  const found = refunds.get(number);
  if (found?.state !== 'PROCESSING') throw new RangeError(`No refund is on its way: ${number}`);
  found.state = 'SUCCESS';
  return { url: found.request['notify_url'] ?? '', parameters: { ...describeRefund(found), refund_status: 'SUCCESS' } };
}
