// Writes statuses for the replica that leads, and knows which of them could not be written and why.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import { paymentCredentials } from '../config/resource.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { fieldManager } from './field-manager.ts';
import type { Leadership } from './leadership.ts';
import { type PaymentCredential, readResource, type Status } from './resource.ts';
import { refusedStatus } from './status/refused.ts';

export interface StatusWriterOptions {
  readonly client: () => Promise<Pick<KubeClient, 'change'>>;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** What became of a status: nothing to write, nobody to write it, or the object as it is now. */
export type Written = 'unchanged' | 'standby' | { readonly resource: PaymentCredential; readonly status: Status };

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  /** By resource: why its newest status is not in the cluster. */
  readonly #failures = new Map<string, ErrorCode>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** Of each status that could not be written, the code of the error. */
  failures(): Iterable<ErrorCode> {
    return this.#failures.values();
  }

  forget(id: string): void {
    this.#failures.delete(id);
  }

  /** `written` gets what was written, also when that is less than the status. @throws PaycertError when it could not be written whole */
  async write(
    id: string,
    resource: PaymentCredential,
    status: Status,
    written: (what: Exclude<Written, string>) => Promise<void>,
  ): Promise<'unchanged' | 'standby' | 'written'> {
    try {
      const outcome = await this.#change(resource, status);
      this.#failures.delete(id);
      if (typeof outcome === 'string') return outcome;
      await written(outcome);
      return 'written';
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      this.#failed(id, resource, error);
      if (error.code === 'object-invalid') {
        const less = refusedStatus(resource.status, status, this.#options.clock.now());
        const outcome = await this.#change(resource, less).catch(ignoreRefused);
        if (typeof outcome === 'object') await written(outcome);
      }
      throw error;
    }
  }

  #failed(id: string, { namespace, name }: PaymentCredential, error: PaycertError): void {
    const isNew = this.#failures.get(id) !== error.code;
    this.#failures.set(id, error.code);
    this.#options.observe({ type: 'status-unwritten', object: `${namespace}/${name}`, error, isNew });
  }

  async #change(resource: PaymentCredential, status: Status): Promise<Written> {
    if (isDeepStrictEqual(status, resource.status)) return 'unchanged';
    const { client, leadership } = this.#options;
    const { namespace, name, resourceVersion } = resource;
    const target = { resource: paymentCredentials, namespace, name, subresource: 'status' };
    // Whole: a field that another version wrote, in whatever way, does not stay. Only of the version that was looked at: a new
    // resource of that name does not inherit the old one's status.
    const operations = [
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
      { op: 'add', path: '/status', value: status },
    ];
    const changed = await leadership.write(async (signal) =>
      (await client()).change(target, operations, fieldManager, signal).catch(ignoreOvertaken),
    );
    if (changed === undefined) return 'standby';
    return changed === 'overtaken' ? 'unchanged' : { resource: readResource(changed), status };
  }
}

/** It was changed, deleted or replaced meanwhile: the watch will report it. */
function ignoreOvertaken(error: unknown): 'overtaken' {
  if (error instanceof PaycertError && ['object-missing', 'object-conflict'].includes(error.code)) return 'overtaken';
  throw error;
}

/** Not even that much: the log, the metric and the alert say so. */
function ignoreRefused(error: unknown): undefined {
  if (error instanceof PaycertError) return undefined;
  throw error;
}
