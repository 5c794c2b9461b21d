// Metrics that are facts of an operator at the time of a scrape: what Secrets hold as they are stored, and what is said of it.
import { decisive, type RoleRow, roles } from '../providers/roles.ts';
import type { MetricRow } from './counted/row.ts';
import type { Sample } from './fact-gauge.ts';

/** One PaymentCredential, or labelled Secret, as its status says. */
export interface StoredCredential {
  readonly kind: 'PaymentCredential' | 'Secret';
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly { readonly type: string; readonly status: string }[];
  readonly suspendedSince?: Date | undefined;
  readonly fleet?: Readonly<Record<(typeof podStates)[number], number>> | undefined;
  readonly deferred?: { readonly until: string; readonly isBridged: boolean } | undefined;
  readonly keys: readonly {
    readonly role: string;
    readonly id: string;
    readonly notAfter?: string;
    readonly replaceBy?: string;
  }[];
}

/** Of a Pod, as to what is stored. */
const podStates = ['current', 'old', 'deferred', 'rejected', 'unknown'] as const;

export interface Overseen {
  readonly credentials: () => Iterable<StoredCredential>;
  /** How many wait to be looked at. */
  readonly queueLength: () => number;
  /** Of each status that could not be written, the code of the error. */
  readonly writeFailures: () => Iterable<string>;
  /** By namespace, how many Pods have an audit whose end was cut off. */
  readonly auditsCut?: () => ReadonlyMap<string, number>;
  /** Of Pods that ask for a sidecar, how many have one; undefined while nobody looks. */
  readonly injection?: () => Readonly<Record<string, number>> | undefined;
}

export interface StoredGaugeRow extends MetricRow {
  readonly read: (overseen: Overseen) => Iterable<Sample>;
}

/**
 * Not `namespace`, which Prometheus would make `exported_namespace` of. With the kind: a labelled Secret and a
 * PaymentCredential that names another one may have the same name.
 */
const credential = ['credential_namespace', 'kind', 'credential'];

export const storedGauges = {
  paycert_stored_certificate_not_after_timestamp_seconds: {
    about: 'operator',
    help: 'When the certificate in the Secret as it is stored expires; of several of a role, the latest, or the first where each is presented in TLS.',
    more: 'While the Secret is missing or cannot be parsed, of what was accepted last.',
    labels: [...credential, 'role'],
    read: ({ credentials }: Overseen) => each(credentials(), ({ keys }) => byRole(keys, 'notAfter', decisive)),
  },
  paycert_stored_key_replace_by_timestamp_seconds: {
    about: 'operator',
    help: 'When a key in the Secret as it is stored is as old as maxAge allows; of several of a role, the first.',
    more: 'Counted from when a Secret held it first, as the status keeps it. Of replicas, the minimum counts.',
    labels: [...credential, 'role'],
    read: ({ credentials }: Overseen) =>
      each(credentials(), ({ keys }) => byRole(keys, 'replaceBy', (_, a, b) => Math.min(a, b))),
  },
  paycert_credential_condition: {
    about: 'operator',
    help: 'Always 1: the status of each condition of a PaymentCredential or labelled Secret.',
    more: '`condition`: `Ready`, `Valid`, `Deferred`, `Expiring`, `TooOld`, `RolledOut` with `--fleet`, `Staged` of two sets, and `CertificatesCurrent` where it is asked for; while `True` also `CanaryRejected`, `Exposed`, `Overridden`, `Reconciling`, `Stalled`. `status`: `True`, `False`, `Unknown`.',
    labels: [...credential, 'condition', 'status'],
    read: ({ credentials }: Overseen) =>
      each(credentials(), ({ conditions }) =>
        conditions.map(({ type, status }) => ({ condition: type, status, value: 1 })),
      ),
  },
  paycert_fleet_audits_cut: {
    about: 'operator',
    help: 'Pods whose audit is continued below the end that was known of it, or by another line. Absent without `--fleet`, and where there is none.',
    more: 'As the replica that leads found it, until the Pod is gone.',
    labels: ['credential_namespace'],
    read: ({ auditsCut }: Overseen) =>
      [...(auditsCut?.() ?? [])].map(([namespace, value]) => ({ credential_namespace: namespace, value })),
  },
  paycert_fleet_pods: {
    about: 'operator',
    help: 'Pods that run, by what they have of what is stored. Absent without `--fleet`, and while it is suspended.',
    more: '`state`: `current`, `old`, `deferred`, `rejected`, `unknown`. As the replica that leads found it.',
    labels: [...credential, 'state'],
    read: ({ credentials }: Overseen) =>
      each(credentials(), ({ fleet }) =>
        fleet === undefined ? [] : podStates.map((state) => ({ state, value: fleet[state] })),
      ),
  },
  paycert_stored_deferred_until_timestamp_seconds: {
    about: 'operator',
    help: 'When the Secret as it is stored, which is good and not valid yet, becomes current by itself. Absent otherwise.',
    more: '`bridged`: whether what was accepted before lasts until then (`true`), so that nobody has to act.',
    labels: [...credential, 'bridged'],
    read: ({ credentials }: Overseen) =>
      each(credentials(), ({ deferred }) =>
        deferred === undefined
          ? []
          : [{ bridged: String(deferred.isBridged), value: Date.parse(deferred.until) / 1000 }],
      ),
  },
  paycert_stored_key_info: {
    about: 'operator',
    help: 'Always 1: what names each key in the Secret as it is stored, for the texts of alerts. Secrets have none: the port has no token.',
    labels: [...credential, 'role', 'key_id'],
    read: ({ credentials }: Overseen) =>
      each(credentials(), ({ keys }) => {
        const named = keys.filter(({ role }) => !isSecret(role));
        const known = new Map(named.map(({ role, id }) => [`${role} ${id}`, { role, key_id: id, value: 1 }]));
        return known.values();
      }),
  },
  paycert_stored_suspended_since_timestamp_seconds: {
    about: 'operator',
    help: 'Since when a PaymentCredential is suspended; absent while it is not.',
    labels: credential,
    read: ({ credentials }: Overseen) =>
      each(credentials(), ({ suspendedSince }) =>
        suspendedSince === undefined ? [] : [{ value: suspendedSince.getTime() / 1000 }],
      ),
  },
  paycert_operator_queue_length: {
    about: 'operator',
    help: 'Resources that wait to be looked at.',
    labels: [],
    read: ({ queueLength }: Overseen) => [{ value: queueLength() }],
  },
  paycert_operator_status_write_failures: {
    about: 'operator',
    help: 'Resources whose newest status could not be written; the one in the cluster is out of date.',
    more: '`reason`: a code of errors.md, such as `cluster-forbidden` or `object-invalid`. Only the replica that leads writes, and has any.',
    labels: ['reason'],
    read: ({ writeFailures }: Overseen) =>
      [...Map.groupBy(writeFailures(), (reason) => reason)].map(([reason, all]) => ({ reason, value: all.length })),
  },
  paycert_injection_pods: {
    about: 'operator',
    help: 'Pods that ask for a sidecar, by whether they have one.',
    more: '`state`: `injected`, `missing` (the webhook was away when they were created), `skipped` (such as with `hostNetwork`). Every replica counts all of them.',
    labels: ['state'],
    read: ({ injection }: Overseen) => Object.entries(injection?.() ?? {}).map(([state, value]) => ({ state, value })),
  },
} satisfies Record<string, StoredGaugeRow>;

/** By what a status says, which an operator of another version may have written. */
const isSecret = (role: string): boolean =>
  ((roles as Readonly<Record<string, RoleRow>>)[role]?.holds ?? 'secret') === 'secret';

function* each(
  credentials: Iterable<StoredCredential>,
  read: (credential: StoredCredential) => Iterable<Sample>,
): Generator<Sample> {
  for (const one of credentials) {
    const { namespace, kind, name } = one;
    for (const sample of read(one)) yield { credential_namespace: namespace, kind, credential: name, ...sample };
  }
}

function byRole(keys: StoredCredential['keys'], time: 'notAfter' | 'replaceBy', choose: typeof decisive): Sample[] {
  const chosen = new Map<string, number>();
  for (const { role, [time]: text } of keys) {
    if (text === undefined) continue;
    const seconds = Date.parse(text) / 1000;
    chosen.set(role, choose(role, chosen.get(role) ?? seconds, seconds));
  }
  return [...chosen].map(([role, value]) => ({ role, value }));
}
