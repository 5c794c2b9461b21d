// The Pods that ask for a sidecar, as a watch sees them: how many have one, and whose they are.
import { pods } from '../../kube/resources.ts';
import { Informer, type InformerOptions } from '../../kube/watch.ts';
import { injectionLabel, injectLabel, operatorClassLabel } from '../labels.ts';
import { relistMilliseconds } from '../watched.ts';
import { type PodFacts, readFacts } from './facts.ts';

export interface InjectedPodsOptions extends Pick<InformerOptions<unknown>, 'client' | 'clock' | 'random' | 'observe'> {
  /** All of them when it is empty. */
  readonly namespaces: readonly string[];
  readonly operatorClass?: string | undefined;
}

/** As the webhook of the chart says it. */
const selectorOf = (operatorClass?: string): string =>
  [
    injectLabel,
    `${injectionLabel} notin (disabled)`,
    operatorClass === undefined ? `!${operatorClassLabel}` : `${operatorClassLabel}=${operatorClass}`,
  ].join(',');

export class InjectedPods {
  readonly #informers: readonly Informer<PodFacts | undefined>[];

  constructor({ namespaces, operatorClass, ...options }: InjectedPodsOptions) {
    const scopes = namespaces.length > 0 ? namespaces.map((namespace) => ({ namespace })) : [{}];
    this.#informers = scopes.map(
      (scope) =>
        new Informer({
          ...options,
          collection: { resource: pods, labelSelector: selectorOf(operatorClass), ...scope },
          name: ['injected-pods', ...Object.values(scope)].join('/'),
          transform: readFacts,
          changed: () => undefined,
          relistMilliseconds,
        }),
    );
  }

  /** Ends on abort only; rejects only with what is a bug. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.run(signal)));
  }

  get isSynced(): boolean {
    return this.#informers.every(({ isSynced }) => isSynced);
  }

  /** Those that have not ended. */
  list(): PodFacts[] {
    return this.#informers.flatMap((informer) => informer.entries().flatMap(([, facts]) => facts ?? []));
  }

  /** Undefined until all of them have been listed. */
  counts(): Readonly<Record<PodFacts['state'], number>> | undefined {
    if (!this.isSynced) return undefined;
    const counts = { injected: 0, missing: 0, skipped: 0 };
    for (const { state } of this.list()) counts[state] += 1;
    return counts;
  }
}
