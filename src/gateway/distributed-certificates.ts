// Source → Source: adds the platform certificates that an operator has downloaded into a Secret; no state of that Secret takes away what verifies.
import { PaycertError } from '../errors.ts';
import { type CertificateList, isSameList, type Listed } from '../providers/certificate-list.ts';
import type { Provider } from '../providers/provider.ts';
import type { Material, Source } from '../sources/source.ts';
import type { Credential } from '../store/attempt.ts';
import { ListReport, type ListReportOptions } from './list-report.ts';
import { withListed } from './with-listed.ts';

export interface DistributedOptions {
  readonly credential: string;
  readonly provider: Pick<Provider, 'load'>;
  readonly list: Pick<CertificateList, 'isListed'>;
  /** The Secret. */
  readonly from: Source;
  readonly resolve?: Credential['resolve'];
}

export function withDistributed(source: Source, options: DistributedOptions, dependencies: ListReportOptions): Source {
  const distributed = new Distributed(options, dependencies);
  return withListed(
    source,
    (own, signal) => distributed.look(own, signal),
    (signal) => options.from.changes(signal),
  );
}

class Distributed {
  readonly #options: DistributedOptions;
  readonly #report: ListReport;
  #parts: Listed = new Map();
  /** Both revisions that were looked at last, and what was wrong with them: they are not loaded again. */
  #looked: string | undefined;
  #fault: PaycertError | undefined;

  constructor(options: DistributedOptions, dependencies: ListReportOptions) {
    this.#options = options;
    this.#report = new ListReport(dependencies);
  }

  /** Those that were good last, where the Secret cannot be read, is empty, or would make good material bad. */
  async look(own: Material, signal: AbortSignal): Promise<Listed> {
    const { credential, from, list } = this.#options;
    try {
      const { data, revision, changedAt } = await from.read(signal);
      const parts = new Map([...data].filter(([name]) => list.isListed(name)));
      // Nothing has been downloaded yet, or the platform signs with a public key.
      if (parts.size === 0) return this.#parts;
      const looked = `${own.revision} ${revision}`;
      if (looked !== this.#looked) this.#fault = await this.#faultOf(own, parts, signal);
      this.#looked = looked;
      if (this.#fault !== undefined) throw this.#fault;
      this.#take(parts, changedAt);
    } catch (error) {
      if (signal.aborted || !(error instanceof PaycertError)) throw error;
      const news = { outcome: 'failed', error } as const;
      if (this.#report.isNews(news)) this.#report.tell(credential, news);
    }
    return this.#parts;
  }

  /** What is wrong with both together, and not with the merchant's own. */
  async #faultOf({ data }: Material, parts: Listed, signal: AbortSignal): Promise<PaycertError | undefined> {
    const { provider, resolve } = this.#options;
    const remote = await resolve?.(data, signal);
    const problemsOf = async (one: Material['data']) => (await provider.load(one, remote)).set.problems;
    const [own, all] = [await problemsOf(data), await problemsOf(new Map([...data, ...parts]))];
    const more = all.find(({ message }) => !own.some((one) => one.message === message));
    if (more === undefined) return undefined;
    return new PaycertError('certificate-list-invalid', `what the operator has downloaded cannot be used: ${more.message}`); // prettier-ignore
  }

  /** It is looked at with each read: what is new is said once. */
  #take(parts: Listed, changedAt: Date | undefined): void {
    const isChanged = !isSameList(this.#parts, parts);
    const news = { outcome: 'listed', ...(changedAt && { listedAt: changedAt }) } as const;
    this.#parts = parts;
    if (isChanged || this.#report.isNews(news)) this.#report.tell(this.#options.credential, news, isChanged);
  }
}
