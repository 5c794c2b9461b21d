// The admin port of a sidecar, as its container declares it: what is injected has it, and the fleet is asked there.
import { defaults } from '../config/defaults.ts';

export const adminPortName = 'paycert-admin';

/** Of a container that names none. */
export const defaultAdminPort = Number(defaults.adminAddress.slice(1));
