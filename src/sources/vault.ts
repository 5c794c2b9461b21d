// A secret of Vault or OpenBao as a source: one path of a KV engine is one set. Its metadata is asked for changes.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { isMembers, malformed, type Members, textOf, within } from '../origins/content.ts';
import type { Question, Reply } from '../origins/server.ts';
import { toError } from '../origins/vault/responses.ts';
import { renameKeys } from './merge.ts';
import { pollTicks } from './poll-ticks.ts';
import { type Material, material, type Source } from './source.ts';
import { deleted, stateOf } from './vault-version.ts';

/** What is asked of a session. */
export interface VaultSession {
  ask(question: Omit<Question, 'headers'>, signal: AbortSignal): Promise<Reply>;
  keep(): Disposable;
}

export interface VaultOptions {
  readonly session: VaultSession;
  /** Where the engine is mounted; the first parts may be namespaces. */
  readonly mount: string;
  readonly path: string;
  /** Of the KV engine: 2 keeps versions, 1 does not. */
  readonly engine: 1 | 2;
  /** One version for ever, instead of the newest. */
  readonly version?: number | undefined;
  /** Material name → key of the secret that holds it. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly pollMilliseconds: number;
  readonly clock: Clock;
  readonly random: () => number;
}

export function vault(options: VaultOptions): Source {
  const { session, mount, path, engine, version, keys = {}, pollMilliseconds, clock, random } = options;
  const place = (kind: string) => [mount, ...(engine === 2 ? [kind] : []), path].join('/');
  const get = async (kind: string, query: string, signal: AbortSignal): Promise<[string, Reply]> => {
    const what = `read ${place(kind)}`;
    const address = place(kind).split('/').map(encodeURIComponent).join('/');
    return [what, await session.ask({ method: 'GET', path: `/v1/${address}${query}`, what }, signal)];
  };
  const query = version === undefined ? '' : `?version=${String(version)}`;
  /** What was read last, as metadata would describe it, or the code of what was wrong. */
  let seen: string | undefined;
  /** The read under way, or the last one. */
  let reading: Promise<unknown> | undefined;

  async function readVersioned(signal: AbortSignal): Promise<Material> {
    const [what, reply] = await get('data', query, signal);
    const data = within(reply.content, 'data');
    const about = within(data, 'metadata');
    const { version: found } = about;
    if (reply.status === 404 && version !== undefined && found === undefined) await assertHas(version, what, signal);
    if (typeof found !== 'number') throw reply.status === 200 ? malformed(what, 'Vault') : toError(reply, what);
    seen = stateOf(found, about, clock.now());
    // Deleted and missing are one status; what was deleted says so.
    if (reply.status !== 200 || !isMembers(data['data'])) throw deleted(what, found, about, version !== undefined);
    const changedAt = new Date(textOf(about['created_time']) ?? NaN);
    const isDated = !Number.isNaN(changedAt.getTime());
    return toMaterial(data['data'], keys, { version: String(found), ...(isDated && { changedAt }) });
  }

  /** @throws PaycertError `origin-missing`, where the secret is there and that version of it is not */
  async function assertHas(pinned: number, what: string, signal: AbortSignal): Promise<void> {
    const [, { content }] = await get('metadata', '', signal);
    const { current_version: newest } = within(content, 'data');
    if (typeof newest !== 'number') return;
    throw new PaycertError('origin-missing', `${what}: it has no version ${String(pinned)}, the newest is ${String(newest)}; change \`version\``); // prettier-ignore
  }

  async function readPlain(signal: AbortSignal): Promise<Material> {
    const [what, reply] = await get('', '', signal);
    if (reply.status !== 200) throw toError(reply, what);
    if (!isMembers(within(reply.content)['data'])) throw malformed(what, 'Vault');
    return toMaterial(within(reply.content, 'data'), keys);
  }

  async function readNow(signal: AbortSignal): Promise<Material> {
    seen = undefined;
    try {
      return await (engine === 2 ? readVersioned(signal) : readPlain(signal));
    } catch (error) {
      if (error instanceof PaycertError) seen ??= error.code;
      throw error;
    }
  }

  /** As the metadata has it. Only a read can tell where there is none, or none for us. */
  async function look(signal: AbortSignal): Promise<string | undefined> {
    if (engine === 1) return undefined;
    const [, reply] = await get('metadata', '', signal);
    if (reply.status === 403) return undefined;
    if (reply.status !== 200) return toError(reply, '').code;
    const { current_version: current, versions } = within(reply.content, 'data');
    const wanted = version ?? current;
    const about = within(versions, String(wanted));
    const isThere = typeof wanted === 'number' && Object.keys(about).length > 0;
    return isThere ? stateOf(wanted, about, clock.now()) : 'origin-missing';
  }

  /** What a read under way is about to find is no news. */
  async function whatIsSeen(): Promise<string | undefined> {
    await reading;
    return seen;
  }

  return {
    name: `vault:${[mount, path].join('/')}`,

    read(signal) {
      const read = readNow(signal);
      reading = read.catch(() => undefined);
      return read;
    },

    async *changes(signal) {
      const kept = session.keep();
      try {
        yield* pollTicks({ pollMilliseconds, clock, random, look, seen: whatIsSeen }, signal);
      } finally {
        kept[Symbol.dispose]();
      }
    },
  };
}

/** @throws PaycertError `origin-value-malformed` */
function toMaterial(
  data: Members,
  keys: Readonly<Record<string, string>>,
  about: Pick<Material, 'version' | 'changedAt'> = {},
): Material {
  const named = Object.entries(data).map(([name, value]): [string, Uint8Array] => {
    if (typeof value !== 'string')
      throw new PaycertError('origin-value-malformed', `${name} is not text`, { field: name });
    return [name, Buffer.from(value)];
  });
  return material(renameKeys(new Map(named), keys), about);
}
