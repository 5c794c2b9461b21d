// What became of asking a platform for its certificates: a state for people, and an event for each time.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { CertificateListState, Observe } from '../events.ts';

export interface ListReportOptions {
  readonly clock: Clock;
  readonly observe: Observe;
  /** Where the state is kept. */
  readonly report: (credential: string, state: CertificateListState) => void;
}

type News = Pick<CertificateListState, 'outcome' | 'listedAt' | 'error'>;

export class ListReport {
  readonly #options: ListReportOptions;
  #state: CertificateListState | undefined;

  constructor(options: ListReportOptions) {
    this.#options = options;
  }

  get outcome(): CertificateListState['outcome'] | undefined {
    return this.#state?.outcome;
  }

  tell(credential: string, news: News, isChanged = false): void {
    const { clock, observe, report } = this.#options;
    const isNew = isChanged || this.isNews(news);
    const listedAt = this.#state?.listedAt;
    const state = { at: clock.now(), ...(listedAt && { listedAt }), ...news };
    this.#state = state;
    report(credential, state);
    observe({ type: 'certificates-listed', credential, isChanged, isNew, ...state });
  }

  /** What is no error of ours is a fault of this program, and as much of a failure. */
  failed(credential: string, error: unknown): void {
    const { observe } = this.#options;
    if (!(error instanceof PaycertError)) observe({ type: 'internal-error', where: 'certificate-list', credential, error }); // prettier-ignore
    const known = error instanceof PaycertError ? error : new PaycertError('internal-error', 'downloading platform certificates failed unexpectedly'); // prettier-ignore
    this.tell(credential, { outcome: 'failed', error: known });
  }

  /** Whether something else became of it than the last time. */
  isNews({ outcome, error }: News): boolean {
    return this.#state?.outcome !== outcome || this.#state.error?.code !== error?.code;
  }
}
