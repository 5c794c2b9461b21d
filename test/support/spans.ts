// The spans of what was observed, as a collector gets them, with their attributes by name.
import type { Event } from '../../src/events.ts';
import { spanOf } from '../../src/otlp/spans.ts';
import { recordOf, type ReceivedSpan } from './otlp-receiver.ts';

export const spansOf = (events: readonly Event[]): Omit<ReceivedSpan, 'resource'>[] =>
  events.flatMap((event) => {
    const span = spanOf(event, { now: () => new Date(), providerOf: () => 'wechatpay' });
    if (span === undefined) return [];
    const { attributes, ...rest } = span as { attributes: Parameters<typeof recordOf>[0] };
    return [{ ...(rest as Omit<ReceivedSpan, 'resource' | 'attributes'>), attributes: recordOf(attributes) }];
  });
