// The PaymentCredentials that a Pod names, as they are cached: what is missing, invalid or suspended is said by its name.
import { parseSpec, withVerdict } from '../../config/resource.ts';
import { PaycertError, throwTogether } from '../../errors.ts';
import { credentialsAnnotation, injectLabel } from '../labels.ts';
import type { Objects } from '../objects.ts';
import { ResourceKey } from '../resource-key.ts';
import type { Injected } from './configuration.ts';
import { refusal } from './refusal.ts';

export interface Found {
  readonly injected: readonly Injected[];
  readonly warnings: readonly string[];
}

/** The first name is that of the label. A suspended one is left out while there is another. @throws PaycertError `injection-refused` */
export function findCredentials(namespace: string, names: readonly string[], lookup: Pick<Objects, 'find'>): Found {
  const injected: Injected[] = [];
  const faults: PaycertError[] = [];
  const suspended: string[] = [];
  for (const [index, name] of names.entries()) {
    const field = index === 0 ? `label ${injectLabel}` : `annotation ${credentialsAnnotation}`;
    const resource = lookup.find(new ResourceKey('PaymentCredential', namespace, name));
    try {
      if (resource === undefined) throw refusal(field, `names ${name}, and there is no such PaymentCredential here`);
      const spec = parseSpec(resource.spec);
      if (spec.suspend === true) suspended.push(name);
      else injected.push({ name, spec: withVerdict(spec, resource.status) });
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      faults.push(error.code === 'injection-refused' ? error : refusal(field, `names ${name}, whose ${error.message}`));
    }
  }
  if (injected.length === 0 && suspended.length > 0)
    faults.push(refusal(`label ${injectLabel}`, `names ${suspended.join(', ')}, which is suspended`));
  throwTogether(faults);
  const warnings = suspended.map((name) => `PaymentCredential ${name} is suspended: the Pod does not get its keys.`);
  return { injected, warnings };
}
