// Questions to a cloud’s KMS, each signed with the access key that we have at that time; with another where it takes that one no more.
import type { PaycertError } from '../../errors.ts';
import { isMembers, type Members, malformed } from '../content.ts';
import type { Question, Reply } from '../server.ts';
import type { AccessKey } from './access-key.ts';
import type { LentKeys } from './lent-keys.ts';

export interface CloudOptions<Call> {
  /** What people call it. */
  readonly name: string;
  readonly server: { ask(question: Question, signal: AbortSignal): Promise<Reply> };
  readonly keys: LentKeys<AccessKey>;
  /** Signs it. `what`: for the person who must permit it. */
  readonly toQuestion: (call: Call, key: AccessKey, what: string) => Promise<Question>;
  readonly toError: (reply: Reply, what: string) => PaycertError;
}

export class CloudClient<Call> {
  readonly #options: CloudOptions<Call>;

  constructor(options: CloudOptions<Call>) {
    this.#options = options;
  }

  /** What it says. @throws PaycertError of kind source, or the signal's reason */
  async ask(call: Call, what: string, signal: AbortSignal): Promise<Members> {
    const { keys, name } = this.#options;
    const key = await keys.current(signal);
    let { reply, error } = await this.#send(call, key, what, signal);
    // Ended, withdrawn, or replaced in its file: its giver may have another by now.
    if (error?.code === 'origin-unauthenticated') {
      keys.forget(key);
      ({ reply, error } = await this.#send(call, await keys.current(signal), what, signal));
    }
    if (error !== undefined) throw error;
    if (!isMembers(reply.content)) throw malformed(what, name);
    return reply.content;
  }

  keep(): Disposable {
    return this.#options.keys.keep();
  }

  async #send(call: Call, key: AccessKey, what: string, signal: AbortSignal) {
    const { server, toQuestion, toError } = this.#options;
    const reply = await server.ask(await toQuestion(call, key, what), signal);
    return { reply, error: reply.status === 200 ? undefined : toError(reply, what) };
  }
}
