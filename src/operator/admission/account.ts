// Who a spec belongs to at its platform: the provider and what identifies the owner there, as text that can be compared.
import { ResourceSpecSchema } from '../../config/resource.ts';
import { PaycertError } from '../../errors.ts';

interface Options {
  readonly required?: readonly string[] | undefined;
}

const providers = new Map(Object.entries<Options>(ResourceSpecSchema.properties.provider.properties));

/** Such as `wechatpay merchantId=1900000001`; undefined for what names no provider. Holds public values only. */
export function accountOf(spec: unknown): string | undefined {
  const { provider } = (spec ?? {}) as { readonly provider?: Readonly<Record<string, unknown>> };
  const [kind, options] = Object.entries(provider ?? {})[0] ?? [];
  const { required = [] } = providers.get(kind ?? '') ?? {};
  if (kind === undefined) return undefined;
  const texts = required
    .map((name) => [name, (options as Readonly<Record<string, unknown>>)[name]] as const)
    .filter(([, value]) => typeof value === 'string')
    .map(([name, value]) => `${name}=${String(value)}`);
  return [kind, ...texts].join(' ');
}

/** Who it belongs to stays as it is. `says`: the words that name what says it, such as `spec.provider says`. */
export function identityChange(specs: readonly unknown[], says: string, field: string): PaycertError[] {
  const [now, then] = specs.map(accountOf);
  if (now === undefined || then === undefined || now === then) return [];
  return [new PaycertError('identity-changed', `${says} ${now}, and what is stored says ${then}`, { field })];
}

/** Of a labelled Secret, as it is now and as it was. */
export const labelledChange = (specs: readonly unknown[]): PaycertError[] =>
  identityChange(specs, 'its labels and annotations say', 'metadata.annotations');
