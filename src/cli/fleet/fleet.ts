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
  if (values['watch'] === true) await watchFleet(show, { isJson, clock: gathering.clock }, signal);
  else print(await show());
  return 0;
}

/** Prints what is new, until it is aborted. */
async function watchFleet(
  show: () => Promise<string>,
  { isJson, clock }: { readonly isJson: boolean; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined;
  const isOver = () => signal.aborted;
  while (!isOver()) {
    const next = await show().catch((error: unknown) => {
      if (isOver()) return last;
      if (!(error instanceof PaycertError) || !passing.has(error.code) || last === undefined) throw error;
      return last;
    });
    if (next !== undefined && next !== last) print(`${isJson ? '' : heading(clock, last !== undefined)}${next}`);
    last = next;
    await clock.sleep(pauseMilliseconds, signal);
  }
}

/** On a terminal the new table replaces the old one; in a file each has its time. */
function heading(clock: Clock, isNext: boolean): string {
  if (process.stdout.isTTY) return isNext ? '\u001b[H\u001b[J' : '\u001b[2J\u001b[H';
  return isNext ? `\n${clock.now().toISOString()}\n` : '';
}
