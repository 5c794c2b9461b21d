// paycert fleet: which Pods have what is stored, once, or again whenever that has changed.
import { type Clock, systemClock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import { connect } from '../../kube/client.ts';
import { ownNamespace } from '../../kube/resources.ts';
import { type Invocation, text } from '../command.ts';
import { print } from '../table.ts';
import { gatherFleet, type Gathering } from './gather.ts';
import { fleetAsJson, renderFleet } from './report.ts';

const pauseMilliseconds = 5000;

/** The API server may restart while somebody watches. */
const passing: ReadonlySet<string> = new Set(['cluster-unreachable', 'cluster-failing']);

export async function fleet({ values, positionals: [name], signal, version }: Invocation): Promise<number> {
  const gathering: Gathering = {
    client: connect(process.env),
    namespace: text(values, 'namespace') ?? ownNamespace,
    name,
    clock: systemClock,
  };
  const isJson = values['output'] === 'json';
  const show = async () => {
    const report = await gatherFleet(gathering, signal);
    return isJson
      ? JSON.stringify(fleetAsJson(report), undefined, values['watch'] === true ? 0 : 2)
      : renderFleet(report, version, name !== undefined);
  };
  const write = (text: string, isNext: boolean) =>
    print(isJson ? text : `${heading(systemClock.now(), isNext)}${text}`);
  if (values['watch'] === true) await watchFleet(show, { clock: systemClock, write }, signal);
  else print(await show());
  return 0;
}

export interface Watching {
  readonly clock: Clock;
  /** `isNext`: it replaces what was written before. */
  readonly write: (text: string, isNext: boolean) => void;
}

/** Writes what is new, until it is aborted. */
export async function watchFleet(
  show: () => Promise<string>,
  { clock, write }: Watching,
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined;
  const isOver = () => signal.aborted;
  while (!isOver()) {
    try {
      const next = await show();
      if (next !== last) write(next, last !== undefined);
      last = next;
    } catch (error) {
      if (isOver()) return;
      if (!(error instanceof PaycertError && passing.has(error.code)) || last === undefined) throw error;
    }
    await clock.sleep(pauseMilliseconds, signal);
  }
}

/** On a terminal the new table replaces the old one; in a file each has its time. */
function heading(now: Date, isNext: boolean): string {
  if (process.stdout.isTTY) return isNext ? '\u001b[H\u001b[J' : '\u001b[2J\u001b[H';
  return isNext ? `\n${now.toISOString()}\n` : '';
}
