// When the next of two staged sets signs, by credential, as an annotation says it: one line of JSON, which a tenant may write.
import Type from 'typebox';
import { PaycertError, throwTogether } from '../errors.ts';
import { validator } from '../validation.ts';
import { faultError } from './rules/fault.ts';
import { activationFaults } from './rules/staged.ts';
import { type ActivateConfig, Activate } from './schema/source.ts';
import { closed, credentialName } from './schema/shared.ts';

export type Activations = ReadonlyMap<string, ActivateConfig>;

/** So many credentials has a Pod at most, each with a name and a time. */
const longestText = 16 * 1024;

const ActivationsSchema = Type.Record(Type.String({ ...credentialName }), Activate, {
  ...closed,
  nameForm: credentialName.form,
});

const validate = validator(ActivationsSchema, 'activation-invalid', 'few');

/** @throws PaycertError `activation-invalid` */
export function readActivations(text: string): Activations {
  if (text.trim() === '') return new Map();
  const entries = Object.entries(validate(parse(text)));
  const faults = entries.flatMap(([name, activate]) => [...activationFaults(activate, [name])]);
  throwTogether(faults.map((fault) => faultError(fault, 'activation-invalid')));
  return new Map(entries);
}

function parse(text: string): unknown {
  if (text.length > longestText)
    throw new PaycertError('activation-invalid', `what says when staged keys sign is longer than ${longestText} characters`); // prettier-ignore
  try {
    return JSON.parse(text);
  } catch {
    throw new PaycertError('activation-invalid', 'what says when staged keys sign is not JSON');
  }
}

export const formatActivations = (activations: Activations): string => JSON.stringify(Object.fromEntries(activations));
