// The words of the command line about reviews, as options.
import { usageError } from './command.ts';
import { assertAddress, type Named, readNamed } from './places.ts';

/** A directory with `tls.crt` and `tls.key`, or where the operator keeps what it makes itself. */
type AdmissionCertificate =
  | { readonly tls: string }
  | { readonly secret: Named; readonly webhooks: string; readonly hostNames: readonly string[] };

export interface AdmissionFlags {
  readonly address: string;
  readonly certificate: AdmissionCertificate;
}

export interface AdmissionWords {
  readonly address?: string | undefined;
  readonly tls?: string | undefined;
  readonly secret?: string | undefined;
  readonly webhooks?: string | undefined;
  readonly hosts?: readonly string[];
}

/** @throws PaycertError `usage` */
export function readAdmission(words: AdmissionWords): AdmissionFlags | undefined {
  const { address, tls, secret, webhooks, hosts = [] } = words;
  const isOwn = (secret ?? webhooks ?? hosts[0]) !== undefined;
  if (address === undefined) {
    if (tls !== undefined || isOwn) throw usageError('--admission-… need --admission-address');
    return undefined;
  }
  assertAddress(address, 'admission-address');
  if (tls !== undefined && !isOwn) return { address, certificate: { tls } };
  if (tls !== undefined || secret === undefined || webhooks === undefined || hosts.length === 0)
    throw usageError('--admission-address needs --admission-tls, or --admission-secret, -webhooks and -host together');
  return { address, certificate: { secret: readNamed(secret, 'admission-secret'), webhooks, hostNames: hosts } };
}
