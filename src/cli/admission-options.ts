// The words of the command line about reviews, as options.
import { type InjectedServices, readInjectedServices } from '../config/injected-services.ts';
import { usageError } from './command.ts';
import { assertAddress, type Named, readNamed } from './places.ts';

/** A directory with `tls.crt` and `tls.key`, or where the operator keeps what it makes itself. */
type AdmissionCertificate =
  | { readonly tls: string }
  | {
      readonly secret: Named;
      readonly webhooks: string;
      /** Of those that inject. */
      readonly mutating?: string | undefined;
      readonly hostNames: readonly string[];
    };

/** What is injected, and what becomes of Pods that got nothing. */
export interface InjectionFlags {
  readonly image: string;
  readonly recreatesMissing: boolean;
  readonly keyServices?: InjectedServices | undefined;
}

export interface AdmissionFlags {
  readonly address: string;
  readonly certificate: AdmissionCertificate;
  /** Without it nothing is injected. */
  readonly injection?: InjectionFlags | undefined;
}

export interface AdmissionWords {
  readonly address?: string | undefined;
  readonly tls?: string | undefined;
  readonly secret?: string | undefined;
  readonly webhooks?: string | undefined;
  readonly hosts?: readonly string[];
  readonly injectImage?: string | undefined;
  readonly injectWebhooks?: string | undefined;
  readonly recreatesMissing?: boolean;
  readonly injectKeyServices?: string | undefined;
}

/** @throws PaycertError `usage` */
export function readAdmission(words: AdmissionWords): AdmissionFlags | undefined {
  const { address, tls, secret, webhooks, hosts = [], injectWebhooks: mutating } = words;
  const isOwn = (secret ?? webhooks ?? hosts[0] ?? mutating) !== undefined;
  const injection = readInjection(words);
  if (address === undefined) {
    if (tls !== undefined || isOwn || injection)
      throw usageError('--admission-… and --inject-image need --admission-address');
    return undefined;
  }
  assertAddress(address, 'admission-address');
  if (mutating !== undefined && injection === undefined) throw usageError('--inject-webhooks needs --inject-image');
  if (tls !== undefined && !isOwn) return { address, certificate: { tls }, ...(injection && { injection }) };
  if (tls !== undefined || secret === undefined || webhooks === undefined || hosts.length === 0)
    throw usageError('--admission-address needs --admission-tls, or --admission-secret, -webhooks and -host together');
  const named = mutating === undefined ? {} : { mutating };
  return {
    address,
    certificate: { secret: readNamed(secret, 'admission-secret'), webhooks, ...named, hostNames: hosts },
    ...(injection && { injection }),
  };
}

function readInjection(words: AdmissionWords): InjectionFlags | undefined {
  const { injectImage: image, recreatesMissing = false, injectKeyServices } = words;
  if (image === undefined) {
    if (injectKeyServices !== undefined) throw usageError('--inject-key-services needs --inject-image');
    if (recreatesMissing) throw usageError('--recreate-missing needs --inject-image');
    return undefined;
  }
  if (!/^[a-z0-9][a-zA-Z0-9._:/@-]{0,511}$/.test(image))
    throw usageError('--inject-image is an image such as paycert:0.1.0');
  const keyServices = injectKeyServices === undefined ? undefined : readInjectedServices(injectKeyServices);
  return { image, recreatesMissing, ...(keyServices && { keyServices }) };
}
