// The orders and refunds of WeChat Pay's double: what a merchant has ordered, a payer has paid, and is paid back.
import { randomBytes } from 'node:crypto';
import { formatTime } from './wechatpay-message.ts';

type Json = Readonly<Record<string, unknown>>;

interface Order {
  /** As the merchant sent it. */
  readonly request: Json;
  readonly total: number;
  state: 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED';
  readonly transactionId: string;
  paidAt?: Date;
}

interface Refund {
  readonly request: Json;
  readonly order: Order;
  readonly refundId: string;
  readonly amount: number;
  readonly createdAt: Date;
  doneAt?: Date;
}

/** The orders of one merchant, by the merchant's numbers. */
export interface Orders {
  readonly orders: Map<string, Order>;
  readonly refunds: Map<string, Refund>;
}

/** What is posted to `notify_url`, before it is encrypted and signed. */
export interface Notice {
  readonly url: string;
  readonly eventType: string;
  readonly originalType: string;
  readonly summary: string;
  readonly resource: Json;
}

/** Why the platform does not do it: its status, code and words. */
export class Declined extends Error {
  override readonly name = 'Declined';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A double that runs for days forgets the oldest. */
const maxOrders = 10_000;

const asObject = (value: unknown): Json => (typeof value === 'object' && value !== null ? { ...value } : {});
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
const asAmount = (value: unknown): number => (typeof value === 'number' ? value : 0);
const states = { NOTPAY: '订单未支付', SUCCESS: '支付成功', REFUND: '转入退款', CLOSED: '订单已关闭' };

/** The same number twice is the same order, unless it is paid or closed. */
export function placeOrder({ orders }: Orders, request: Json): void {
  const number = asText(request['out_trade_no']);
  const known = orders.get(number);
  if (known?.state === 'CLOSED') throw new Declined(400, 'ORDER_CLOSED', '订单已关闭');
  if (known !== undefined && known.state !== 'NOTPAY') throw new Declined(400, 'ORDERPAID', '该订单已支付');
  const total = asAmount(asObject(request['amount'])['total']);
  const transactionId = known?.transactionId ?? `42000${Array.from(randomBytes(23), (byte) => byte % 10).join('')}`;
  orders.set(number, { request, total, state: 'NOTPAY', transactionId });
  for (const oldest of orders.keys()) {
    if (orders.size <= maxOrders) break;
    orders.delete(oldest);
  }
}

export function closeOrder({ orders }: Orders, number: string): void {
  const order = orders.get(number);
  if (order === undefined) throw new Declined(404, 'ORDER_NOT_EXIST', '订单不存在');
  if (order.state !== 'NOTPAY' && order.state !== 'CLOSED') throw new Declined(400, 'ORDERPAID', '该订单已支付');
  order.state = 'CLOSED';
}

/** An order that was never placed counts as one that is not paid. */
export function describeOrder({ orders }: Orders, number: string, merchantId: string): Json {
  const order = orders.get(number);
  const state = order?.state ?? 'NOTPAY';
  const told = { mchid: merchantId, out_trade_no: number, trade_state: state, trade_state_desc: states[state] };
  const { request, paidAt, total = 0 } = order ?? {};
  const appId = request === undefined ? {} : { appid: request['appid'] };
  if (order === undefined || paidAt === undefined) return { ...appId, ...told };
  return {
    ...appId,
    ...told,
    transaction_id: order.transactionId,
    trade_type: 'JSAPI',
    bank_type: 'OTHERS',
    attach: asText(request?.['attach']),
    success_time: formatTime(paidAt),
    payer: { openid: asText(asObject(request?.['payer'])['openid']) },
    amount: { total, payer_total: total, currency: 'CNY', payer_currency: 'CNY' },
  };
}

/** @throws RangeError unless such an order waits to be paid */
export function payOrder({ orders, refunds }: Orders, number: string, merchantId: string, now: Date): Notice {
  const order = orders.get(number);
  if (order?.state !== 'NOTPAY') throw new RangeError(`No order of ${merchantId} waits to be paid: ${number}`);
  order.state = 'SUCCESS';
  order.paidAt = now;
  return {
    url: asText(order.request['notify_url']),
    eventType: 'TRANSACTION.SUCCESS',
    originalType: 'transaction',
    summary: '支付成功',
    resource: describeOrder({ orders, refunds }, number, merchantId),
  };
}

/** The same number twice is the same refund. */
export function placeRefund({ orders, refunds }: Orders, request: Json, now: Date): Json {
  const number = asText(request['out_refund_no']);
  const known = refunds.get(number);
  if (known !== undefined) return describeRefund(known);
  const { out_trade_no: byOurs, transaction_id: byTheirs } = request;
  const order = [...orders].find(([ours, { transactionId }]) => ours === byOurs || transactionId === byTheirs)?.[1];
  if (order === undefined) throw new Declined(404, 'RESOURCE_NOT_EXISTS', '订单不存在');
  if (order.paidAt === undefined) throw new Declined(400, 'INVALID_REQUEST', '订单未支付，不能退款');
  const amount = asAmount(asObject(request['amount'])['refund']);
  const before = [...refunds.values()].filter((one) => one.order === order).reduce((sum, one) => sum + one.amount, 0);
  if (amount <= 0) throw new Declined(400, 'PARAM_ERROR', '退款金额不正确');
  if (before + amount > order.total) throw new Declined(400, 'INVALID_REQUEST', '申请退款金额大于订单可退金额');
  order.state = 'REFUND';
  const refundId = `50300${Array.from(randomBytes(23), (byte) => byte % 10).join('')}`;
  const refund = { request, order, refundId, amount, createdAt: now };
  refunds.set(number, refund);
  return describeRefund(refund);
}

export function findRefund({ refunds }: Orders, number: string): Json {
  const refund = refunds.get(number);
  if (refund === undefined) throw new Declined(404, 'RESOURCE_NOT_EXISTS', '退款单不存在');
  return describeRefund(refund);
}

/** @throws RangeError unless such a refund is on its way */
export function completeRefund({ refunds }: Orders, number: string, merchantId: string, now: Date): Notice {
  const refund = refunds.get(number);
  if (refund === undefined || refund.doneAt !== undefined)
    throw new RangeError(`No refund of ${merchantId} is on its way: ${number}`);
  refund.doneAt = now;
  const { status, amount, channel: _, create_time: __, ...told } = describeRefund(refund);
  const { total, payer_total, refund: refunded, payer_refund } = asObject(amount);
  return {
    url: asText(refund.request['notify_url']),
    eventType: 'REFUND.SUCCESS',
    originalType: 'refund',
    summary: '退款成功',
    resource: {
      mchid: merchantId,
      ...told,
      refund_status: status,
      amount: { total, refund: refunded, payer_total, payer_refund },
    },
  };
}

function describeRefund({ request, order, refundId, amount, createdAt, doneAt }: Refund): Json {
  const { total } = order;
  return {
    refund_id: refundId,
    out_refund_no: request['out_refund_no'],
    transaction_id: order.transactionId,
    out_trade_no: order.request['out_trade_no'],
    channel: 'ORIGINAL',
    user_received_account: '支付用户零钱',
    create_time: formatTime(createdAt),
    ...(doneAt && { success_time: formatTime(doneAt) }),
    status: doneAt === undefined ? 'PROCESSING' : 'SUCCESS',
    amount: { total, refund: amount, payer_total: total, payer_refund: amount, currency: 'CNY' },
  };
}
