// What the documents say of each alert, from files/alerts.yaml and values.yaml: one row per alert, one paragraph per section of the runbook.
import { parse } from 'yaml';
import type { Value } from './values.ts';

interface Group {
  readonly alerts?: Readonly<Record<string, { readonly name: string }>>;
}

interface Settings {
  readonly enabled: boolean;
  readonly level: string;
  readonly for: string;
  readonly days?: number;
}

export interface AlertFacts {
  /** In values.yaml. */
  readonly key: string;
  readonly name: string;
  /** The heading in docs/runbook.md: alerts that differ in their days have one. */
  readonly section: string;
  readonly level: string;
  readonly for: string;
  /** When it fires. */
  readonly text: string;
}

/** In the order of files/alerts.yaml. */
export function readAlerts(yaml: string, values: readonly Value[]): AlertFacts[] {
  const groups = parse(yaml, { merge: true }) as readonly Group[];
  return groups.flatMap(({ alerts = {} }) =>
    Object.entries(alerts).map(([key, { name }]) => {
      const value = values.find(({ path }) => path === `prometheusRule.alerts.${key}`);
      if (value === undefined) throw new Error(`values.yaml lacks prometheusRule.alerts.${key}`);
      const { level, for: lasting, days } = value.default as Settings;
      const text = value.text.replace('`days`', `${String(days)} ${days === 1 ? 'day' : 'days'}`);
      const full = name.replace('$days', String(days));
      return { key, name: full, section: full.replace(/\d+d$/, ''), level, for: lasting, text };
    }),
  );
}

const after = (lasting: string): string => (lasting === '0s' ? 'at once' : `after ${lasting}`);

/** The rows of the table in docs/alerts.md. */
export const alertRows = (alerts: readonly AlertFacts[]): string[][] =>
  alerts.map(({ key, name, section, level, for: lasting, text }) => [
    `[\`${name}\`](runbook.md#${section.toLowerCase()})`,
    level,
    lasting,
    `\`${key}\``,
    text,
  ]);

/** Section of the runbook → what it begins with. */
export function alertParagraphs(alerts: readonly AlertFacts[]): Map<string, string> {
  const sections = Map.groupBy(alerts, ({ section }) => section);
  return new Map(
    [...sections].map(([section, members]) => [
      `alert ${section}`,
      members
        .map(({ name, level, for: lasting, text }) => `**${level}**, ${after(lasting)} (\`${name}\`): ${text}`)
        .join('\n\n'),
    ]),
  );
}
