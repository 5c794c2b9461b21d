// Gauges that are read at each scrape, and their text, which is written once for each object that they are facts of.
export type Sample = { readonly value: number } & Readonly<Record<string, string | number>>;

export interface FactGaugeOptions<T extends object> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** What the facts are of. An object never changes: another one takes its place. */
  readonly subjects: () => Iterable<T>;
  readonly read: (subject: T) => Iterable<Sample>;
  /** Whether the facts change while the object stays: with time, or with what its parts count. */
  readonly isLive: boolean;
}

/**
 * Its series are not set and kept: with thousands of them, prom-client would check, index and write at each scrape what is the same as
 * in the one before.
 */
export class FactGauge<T extends object> {
  readonly #options: FactGaugeOptions<T>;
  readonly #texts = new WeakMap<T, string>();
  #whole: { readonly list: readonly T[]; readonly text: string } | undefined;

  constructor(options: FactGaugeOptions<T>) {
    this.#options = options;
  }

  /** What it is, without its series. */
  get description(): Pick<FactGaugeOptions<T>, 'name' | 'help' | 'labels'> {
    return this.#options;
  }

  /** In the text format of Prometheus. `list` never changes: of the same one, it is the same text. */
  text(list?: readonly T[]): string {
    const { name, help, isLive, subjects } = this.#options;
    if (list !== undefined && this.#whole?.list === list) return this.#whole.text;
    const texts = [`# HELP ${name} ${escape(help)}\n# TYPE ${name} gauge`];
    for (const subject of list ?? subjects()) texts.push(this.#textOf(subject));
    // Joined, here and below: V8 puts together what was added only when it is sent, and each time from its smallest pieces.
    const text = texts.join('');
    if (list !== undefined && !isLive) this.#whole = { list, text };
    return text;
  }

  #textOf(subject: T): string {
    const known = this.#texts.get(subject);
    if (known !== undefined) return known;
    const { name, read, isLive } = this.#options;
    const text = Array.from(
      read(subject),
      ({ value, ...labels }) => `\n${name}${formatLabels(labels)} ${formatValue(value)}`,
    ).join('');
    if (!isLive) this.#texts.set(subject, text);
    return text;
  }
}

const escape = (text: string): string =>
  /[\\\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : text;

function formatLabels(labels: Readonly<Record<string, string | number>>): string {
  let text = '';
  for (const [name, value] of Object.entries(labels))
    text += `${text === '' ? '' : ','}${name}="${escape(String(value)).replaceAll('"', '\\"')}"`;
  return text === '' ? '' : `{${text}}`;
}

/** As Prometheus reads it: `NaN`, `Inf`. */
const formatValue = (value: number): string => String(value).replace('Infinity', 'Inf');
