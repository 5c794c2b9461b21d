// What a panel of the dashboard is, and the label filters that its queries share.
import { replacedPattern } from '../../src/providers/roles.ts';

export interface Panel {
  readonly title: string;
  readonly text: string;
  readonly kind: 'stat' | 'table' | 'timeseries';
  readonly unit?: string;
  /** Of 24 columns, and in rows. */
  readonly width: number;
  readonly height: number;
  /** Who has its series; a key service only a sidecar that uses one. */
  readonly from: 'sidecar' | 'operator' | 'key service';
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
}

export const scope = 'namespace=~"$namespace",credential=~"$credential"';
export const stored = 'credential_namespace=~"$namespace",credential=~"$credential"';
export const current = `role!~"${replacedPattern}"`;
