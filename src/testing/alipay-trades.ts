// What the gateway double answers to alipay.trade.*: a payer pays on a page or in an app, the shop queries and refunds (protocols 2).
import { randomBytes } from 'node:crypto';
import { alipayTime } from './alipay-message.ts';

type Json = Readonly<Record<string, unknown>>;
type Parameters = Readonly<Record<string, string>>;

interface Trade {
  readonly business: Json;
  readonly notifyUrl: string;
  readonly returnUrl: string;
  readonly tradeNo: string;
  /** In fen: amounts of Alipay are yuan, as text. */
  readonly total: number;
  paidAt?: Date;
  readonly refunds: Map<string, number>;
}

/** Trades by the merchant's numbers. */
export type Trades = Map<string, Trade>;

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
const toFen = (yuan: unknown): number => Math.round(Number(yuan) * 100);
const toYuan = (fen: number): string => (fen / 100).toFixed(2);
const failed = (subCode: string, subMessage: string): Json => ({
  ...{ code: '40004', msg: 'Business Failed' },
  ...{ sub_code: subCode, sub_msg: subMessage },
});

const refunded = ({ refunds }: Trade): number => [...refunds.values()].reduce((sum, fen) => sum + fen, 0);
const statusOf = (trade: Trade): string => {
  if (trade.paidAt === undefined) return 'WAIT_BUYER_PAY';
  return refunded(trade) === trade.total ? 'TRADE_CLOSED' : 'TRADE_SUCCESS';
};

const buyer = { buyer_logon_id: '159****5620', buyer_user_id: '2088102117980432' };

const maxTrades = 10_000;

function placeTrade(trades: Trades, business: Json, parameters: Parameters): Trade {
  const number = asText(business['out_trade_no']);
  const { notify_url: notifyUrl = '', return_url: returnUrl = '' } = parameters;
  const tradeNo = `20${Array.from(randomBytes(26), (byte) => byte % 10).join('')}`;
  const total = toFen(business['total_amount']);
  const trade = trades.get(number) ?? { business, notifyUrl, returnUrl, tradeNo, total, refunds: new Map() };
  trades.set(number, trade);
  for (const oldest of trades.keys()) {
    if (trades.size <= maxTrades) break;
    trades.delete(oldest);
  }
  return trade;
}

/**
 * The members of the response; `page` where the browser is redirected; nothing for a method of another family, nor for a trade
 * that nobody has placed: the gateway then gives back what it was sent.
 */
export function answerTrade(
  apiMethod: string,
  business: Json,
  parameters: Parameters,
  trades: Trades,
): Json | 'page' | undefined {
  if (apiMethod === 'alipay.trade.page.pay' || apiMethod === 'alipay.trade.wap.pay') {
    placeTrade(trades, business, parameters);
    return 'page';
  }
  if (apiMethod === 'alipay.trade.app.pay') {
    const { tradeNo, total } = placeTrade(trades, business, parameters);
    return { out_trade_no: business['out_trade_no'], trade_no: tradeNo, total_amount: toYuan(total) };
  }
  const trade = trades.get(asText(business['out_trade_no']));
  if (trade === undefined) return undefined;
  const named = { out_trade_no: business['out_trade_no'], trade_no: trade.tradeNo };
  const money = { total_amount: toYuan(trade.total) };
  switch (apiMethod) {
    case 'alipay.trade.query':
      return { ...named, trade_status: statusOf(trade), ...money, ...buyer };
    case 'alipay.trade.refund':
      return refund(trade, business, named);
    case 'alipay.trade.fastpay.refund.query': {
      const fen = trade.refunds.get(asText(business['out_request_no']));
      // Without a refund of that number the response is a success that names none.
      if (fen === undefined) return named;
      const { out_request_no } = business;
      return { ...named, out_request_no, ...money, refund_amount: toYuan(fen), refund_status: 'REFUND_SUCCESS' };
    }
    default:
      return undefined;
  }
}

/** The same `out_request_no` twice is the same refund: nothing more is paid back. */
function refund(trade: Trade, business: Json, named: Json): Json {
  if (trade.paidAt === undefined) return failed('ACQ.TRADE_STATUS_ERROR', '交易状态不合法');
  const number = asText(business['out_request_no'] ?? business['out_trade_no']);
  const isNew = !trade.refunds.has(number);
  const fen = toFen(business['refund_amount']);
  if (!(fen > 0)) return failed('ACQ.INVALID_PARAMETER', '参数无效');
  if (isNew && refunded(trade) + fen > trade.total) return failed('ACQ.REFUND_AMT_NOT_EQUAL_TOTAL', '退款金额超限');
  if (isNew) trade.refunds.set(number, fen);
  return { ...named, ...buyer, fund_change: isNew ? 'Y' : 'N', refund_fee: toYuan(refunded(trade)) };
}

export interface PaidTrade {
  readonly notifyUrl: string;
  readonly returnUrl: string;
  /** What the notification says. */
  readonly notification: Parameters;
  /** What the address says that the payer comes back to. */
  readonly returned: Parameters;
}

/** @throws RangeError unless such a trade waits to be paid */
export function payTrade(trades: Trades, number: string, appId: string, now: Date): PaidTrade {
  const trade = trades.get(number);
  if (trade === undefined || trade.paidAt !== undefined) throw new RangeError(`No trade waits to be paid: ${number}`);
  trade.paidAt = now;
  const [time, amount] = [alipayTime(now), toYuan(trade.total)];
  const both = {
    app_id: appId,
    charset: 'utf-8',
    version: '1.0',
    out_trade_no: number,
    trade_no: trade.tradeNo,
    total_amount: amount,
    seller_id: '2088102119685838',
  };
  return {
    notifyUrl: trade.notifyUrl,
    returnUrl: trade.returnUrl,
    notification: {
      ...both,
      notify_id: randomBytes(17).toString('hex'),
      notify_type: 'trade_status_sync',
      notify_time: time,
      trade_status: 'TRADE_SUCCESS',
      subject: asText(trade.business['subject']),
      buyer_id: buyer.buyer_user_id,
      buyer_logon_id: buyer.buyer_logon_id,
      receipt_amount: amount,
      buyer_pay_amount: amount,
      gmt_create: time,
      gmt_payment: time,
    },
    returned: { ...both, method: 'alipay.trade.page.pay.return', timestamp: time },
  };
}
