// paycert history: the snapshots of a PaymentCredential that were accepted last, as the operator keeps them in its status.
import { paymentCredentials } from '../config/resource.ts';
import { connect } from '../kube/client.ts';
import { ownNamespace } from '../kube/resources.ts';
import { readResource, type Status } from '../operator/resource.ts';
import { type Invocation, text } from './command.ts';
import { formatTable, print, printable } from './table.ts';

type Entries = NonNullable<Status['history']>;

const header = ['SINCE', 'SNAPSHOT', 'SIGNS WITH', 'SECRET', 'VERSION', 'WRITTEN BY'];

export function renderHistory(name: string, history: Entries): string {
  if (history.length === 0) return `${name}: nothing was accepted since an operator keeps a history.`;
  const rows = history.map(({ time, snapshotId, keyId = '-', secret = '-', secretResourceVersion, manager = '-' }) =>
    [time, snapshotId, keyId, secret, secretResourceVersion, manager].map(printable),
  );
  return formatTable(header, rows);
}

export async function history({ values, positionals: [name = ''], signal }: Invocation): Promise<number> {
  const namespace = text(values, 'namespace') ?? ownNamespace;
  const object = await connect(process.env).get({ resource: paymentCredentials, namespace, name }, signal);
  const { history: entries = [] } = readResource(object).status ?? {};
  print(values['output'] === 'json' ? JSON.stringify(entries, undefined, 2) : renderHistory(name, entries));
  return 0;
}
