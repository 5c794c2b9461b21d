// What is counted about the signing proxy: calls by what is known of them, and each attempt on the wire.
import { type CountedRow, one } from './row.ts';

export const forwarding = {
  paycert_forwarded_total: {
    about: 'proxy',
    type: 'counter',
    help: 'Calls through the proxy, by what is known of them.',
    more: '`outcome`: `ok`, `refused` (not done), `unknown` (it may have been done: query). `status`: the class of the response that the caller got, such as `2xx`.',
    labels: ['credential', 'outcome', 'status'],
    on: {
      forwarded: ({ credential, outcome, status }) =>
        one({ credential, outcome, status: `${String(Math.floor(status / 100))}xx` }),
    },
  },
  paycert_forwarded_duration_seconds: {
    about: 'proxy',
    type: 'histogram',
    help: 'How long calls through the proxy took, the platform included.',
    labels: [],
    buckets: [0.01, 0.05, 0.2, 1, 5, 30],
    on: { forwarded: ({ seconds, attempts }) => (attempts === 0 ? undefined : { value: seconds }) },
  },
  paycert_gateway_attempts_total: {
    about: 'proxy',
    type: 'counter',
    help: 'Attempts of calls on the wire, by host and how they ended.',
    more: '`outcome`: `responded`, `not-sent` (no connection), `interrupted` (ended before a response), `timed-out`.',
    labels: ['credential', 'host', 'outcome'],
    on: { attempted: ({ credential, host, outcome }) => one({ credential, host, outcome }) },
  },
  paycert_gateway_failovers_total: {
    about: 'proxy',
    type: 'counter',
    help: 'How often calls moved from a host that cannot be connected to, to its spare.',
    labels: ['host'],
    on: { 'failed-over': ({ host }) => one({ host }) },
  },
  paycert_gateway_on_spare: {
    about: 'proxy',
    type: 'gauge',
    help: 'Whether the calls of a host go to its spare (1), or to itself again (0).',
    labels: ['host'],
    on: { 'failed-over': ({ host }) => one({ host }), 'failed-back': ({ host }) => ({ value: 0, host }) },
  },
  paycert_gateway_held_back_total: {
    about: 'proxy',
    type: 'counter',
    help: 'Calls that were not sent to a host, by the reason.',
    more: '`reason`: `breaker` (too many of the calls before failed), `bulkhead` (too many are under way).',
    labels: ['credential', 'host', 'reason'],
    on: { 'held-back': ({ credential, host, reason }) => one({ credential, host, reason }) },
  },
  paycert_gateway_breaker_openings_total: {
    about: 'proxy',
    type: 'counter',
    help: 'How often a breaker opened, by credential and host.',
    labels: ['credential', 'host'],
    on: { 'breaker-changed': ({ credential, host, state }) => (state === 'open' ? one({ credential, host }) : undefined) }, // prettier-ignore
  },
  paycert_platform_clock_ahead_seconds: {
    about: 'proxy',
    type: 'gauge',
    help: 'By how many seconds at least the clock here is ahead of that of a platform’s host, negative behind.',
    more: 'From the `Date` of its responses, less half a second and half the way there and back; once three of them agree.',
    labels: ['host'],
    on: { 'platform-clock-compared': ({ host, aheadSeconds }) => ({ value: aheadSeconds, host }) },
  },
} as const satisfies Record<string, CountedRow>;
