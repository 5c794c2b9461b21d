// Key services of injected sidecars, as the platform team gives them to the operator: what a tenant names is never among it.
import Type, { type Static } from 'typebox';
import { PaycertError, throwTogether } from '../errors.ts';
import { validator } from '../validation.ts';
import { faultError } from './rules/fault.ts';
import { keyServiceFaults } from './rules/servers.ts';
import { KeyServicesSchema } from './schema/key-services.ts';
import { closed, objectName } from './schema/shared.ts';

const Schema = Type.Object(
  {
    services: KeyServicesSchema,
    audience: Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{1,256}$', form: 'an audience without spaces' })),
    configMap: Type.Optional(Type.String(objectName)),
  },
  closed,
);

export type InjectedServices = Static<typeof Schema>;

const validate = validator(Schema, 'config-invalid', 'few');

/** JSON; what is empty is not there. @throws PaycertError `config-invalid` */
export function readInjectedServices(text: string): InjectedServices | undefined {
  const given = parse(text);
  if (typeof given !== 'object' || given === null) throw new PaycertError('config-invalid', 'key services are not an object'); // prettier-ignore
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  const injected = validate(filled);
  throwTogether([...keyServiceFaults(injected.services)].map((fault) => faultError(fault)));
  return Object.keys(injected.services).length === 0 ? undefined : injected;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PaycertError('config-invalid', 'key services are not JSON');
  }
}
