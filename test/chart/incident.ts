// Replays an incident through promtool, minute by minute, and says which alerts fired when. Series are written as scrapes would write them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { makeDirectory } from '../support/sidecar.ts';
import { run } from './helm.ts';
import { labelled, pay } from './alert-cases/series.ts';

export type Series = Readonly<Record<string, string>>;
/** From and to, in seconds; without the end. */
export type Span = readonly [number, number];

export type Groups = readonly { readonly name: string; readonly rules: readonly object[] }[];

export interface Replay {
  readonly minutes: number;
  /** Seconds between two scrapes. */
  readonly scrape: number;
}

export interface Firing {
  readonly minute: number;
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One value per scrape; nothing where it is undefined, which is marked once, as a scrape does that misses a series. */
export function scraped({ minutes, scrape }: Replay, valueAt: (second: number) => number | undefined): string {
  let before: number | undefined;
  return Array.from({ length: (minutes * 60) / scrape + 1 }, (_, index) => {
    const value = valueAt(index * scrape);
    const text = value === undefined ? (before === undefined ? '_' : 'stale') : String(value);
    before = value;
    return text;
  }).join(' ');
}

const contains = (spans: readonly Span[], second: number): Span | undefined =>
  spans.find(([from, to]) => second >= from && second < to);

interface Life {
  readonly pod: string;
  /** When the process lives and answers. */
  readonly lives: readonly Span[];
  /** When there is a target to scrape; from beginning to end without it. */
  readonly target?: Span;
  /** What its credential is while it lives. */
  readonly ready?: (second: number) => number | undefined;
  /** Its material is current. */
  readonly successful?: (second: number) => number;
  readonly credential?: string;
}

/** What Prometheus gets of one sidecar. */
export function sidecar(replay: Replay, life: Life): Record<string, string> {
  const { pod, lives, target = [0, Number.POSITIVE_INFINITY], ready = () => 1, successful = ready } = life;
  const own = { ...pay, ...(life.credential !== undefined && { credential: life.credential }) };
  const place = { job: 'pay/paycert-sidecars', instance: `${pod}:9464`, pod, container: 'paycert' };
  const { namespace } = pay;
  const series = (metric: string, labels: object, valueAt: (second: number, alive: Span) => number | undefined) => ({
    [`${metric}${labelled({ ...labels, ...place })}`]: scraped(replay, (second) => {
      const alive = contains(lives, second);
      return alive && contains([target], second) ? valueAt(second, alive) : undefined;
    }),
  });
  return {
    [`up${labelled({ namespace, ...place })}`]: scraped(replay, (second) =>
      contains([target], second) ? Number(contains(lives, second) !== undefined) : undefined,
    ),
    ...series('paycert_credential_ready', own, ready),
    ...series('paycert_reload_last_successful', own, successful),
    ...series('paycert_reload_last_success_timestamp_seconds', own, () => 60),
    ...series('paycert_key_info', { ...own, role: 'merchant', key_id: '5157F09EFDC096DE' }, () => 1),
    ...series('process_start_time_seconds', { namespace }, (_, [from]) => from),
  };
}

/** As kubelet restarts a container that lives for so long: after 10, 20, 40, 80, 160, 300, 300 … s. */
export function loop(life: number, [from, to]: Span): Span[] {
  const lives: Span[] = [];
  for (let at = from, wait = 10; at < to; at += life + wait, wait = Math.min(wait * 2, 300))
    lives.push([at, Math.min(at + life, to)]);
  return lives;
}

const minutesOf = (duration: string): number => {
  const [, hours = '0', minutes = '0'] = /^(?:(\d+)h)?(?:(\d+)m)?/.exec(duration) ?? [];
  return Number(hours) * 60 + Number(minutes);
};

const labelsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );

/** promtool only says what differs from what is expected: nothing is expected, so that it says everything. */
async function ask(t: TestContext, groups: Groups, series: Series, { scrape }: Replay, test: object): Promise<string> {
  const directory = await makeDirectory(t);
  await writeFile(join(directory, 'rules.yaml'), stringify({ groups }));
  const input = Object.entries(series).map(([name, values]) => ({ series: name, values }));
  const tests = [{ interval: `${scrape}s`, input_series: input, ...test }];
  const path = join(directory, 'test.yaml');
  await writeFile(
    path,
    stringify({
      rule_files: ['rules.yaml'],
      evaluation_interval: '30s',
      group_eval_order: groups.map(({ name }) => name),
      tests,
    }),
  );
  const { stdout, stderr } = await run('promtool', ['test', 'rules', path]);
  const said = stdout + stderr;
  if (/error|unknown/i.test(said.replaceAll(/outcome="error"/g, ''))) throw new Error(said);
  return said;
}

/** Texts decide nothing of when an alert fires, and each evaluation would write them anew: a third of what a replay costs. */
const withoutTexts = (groups: Groups): Groups =>
  groups.map((group) => ({ ...group, rules: group.rules.map((rule) => ({ ...rule, annotations: undefined })) }));

/** Every alert that fires, at every full minute. */
export async function replay(t: TestContext, groups: Groups, series: Series, how: Replay): Promise<Firing[]> {
  const minutes = Array.from({ length: how.minutes + 1 }, (_, minute) => minute);
  const said = await ask(t, withoutTexts(groups), series, how, {
    promql_expr_test: minutes.map((minute) => ({
      expr: 'ALERTS{alertstate="firing"}',
      eval_time: `${minute}m`,
      exp_samples: [],
    })),
  });
  return [...said.matchAll(/time: (\w+),\s+exp: nil\s+got: (.+)/g)].flatMap(([, time = '', got = '']) =>
    [...got.matchAll(/\{([^}]*)\} 1E\+00/g)].map(([, text = '']) => {
      const { __name__: _, alertstate: _state, alertname: alert = '', ...labels } = labelsOf(text);
      return { minute: minutesOf(time), alert, labels };
    }),
  );
}

/** What an alert says at a minute: summaries and descriptions. */
export async function texts(
  t: TestContext,
  groups: Groups,
  series: Series,
  { alert, minute, ...how }: Replay & { readonly alert: string; readonly minute: number },
): Promise<string[]> {
  const said = await ask(t, groups, series, how, {
    alert_rule_test: [{ eval_time: `${minute}m`, alertname: alert, exp_alerts: [] }],
  });
  return [...said.matchAll(/Annotations:\{(.*)\}$/gm)].map(([, text = '']) => text.replaceAll('\\n', '\n'));
}

/** When it fired without a break, as first and last minute. */
export function spansOf(firings: readonly Firing[], alert: string, labels: object = {}): Span[] {
  const wanted = Object.entries(labels);
  const minutes = firings
    .filter((each) => each.alert === alert && wanted.every(([name, value]) => each.labels[name] === value))
    .map(({ minute }) => minute);
  const spans: [number, number][] = [];
  for (const minute of [...new Set(minutes)].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last?.[1] === minute - 1) last[1] = minute;
    else spans.push([minute, minute]);
  }
  return spans;
}

/** Which alerts of these levels fired at all. */
export const firedOf = (firings: readonly Firing[], ...levels: string[]): string[] =>
  [...new Set(firings.filter(({ labels }) => levels.includes(labels['level'] ?? '')).map(({ alert }) => alert))].sort();
