// What a payment platform is to the rest of paycert: one value per folder, and everything that is asked about it.
import type { X509Certificate } from 'node:crypto';
import type { Static, TObject } from 'typebox';
import type { CertificateBySerial } from './certificate-by-serial.ts';
import type { CertificateList } from './certificate-list.ts';
import type { Forwarding } from './forwarding.ts';
import type { LiveCheck } from './live-check.ts';
import type { Notifying } from './notifying.ts';
import type { Capability, Provider } from './provider.ts';
import type { Querying } from './querying.ts';
import type { Refusals } from './refusal.ts';
import type { Takes } from './takes.ts';

/** Certificates that are presented together, and the authorities beside them. */
export interface Chain {
  /** The leaf first. */
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
  readonly authorities: readonly X509Certificate[];
}

/** Revocation data that is fetched alongside the material and added to it. This says what; the room `revocation` fetches. */
export interface Fetches {
  /** Where revocation lists are downloaded. */
  readonly listUrls: readonly string[];
  /** Whether the OCSP responders that the certificates name are queried. */
  readonly queriesResponders: boolean;
  readonly chainsOf: (data: ReadonlyMap<string, Uint8Array>) => readonly Chain[];
  /** The name in the material of what was fetched. */
  readonly listName: (index: number) => string;
  readonly responseName: (index: number) => string;
}

/** What is said of a certificate or key that a file holds. Never a secret. */
export interface FileFacts {
  readonly what: string;
  readonly keyId?: string;
  readonly algorithm?: string;
  readonly fingerprint?: string;
  readonly issuer?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** SHA-256 of the public key: equal for a certificate and the key that it is about. */
  readonly publicKey?: string;
}

/** Files that a platform or its users call so. Names say whose a key is; its bytes do not. */
export interface FileName {
  /** Of the whole name, without its directory. */
  readonly pattern: RegExp;
  /** In the platform's words, such as `merchant API key: apiclient_key.pem`. */
  readonly what: string;
  /** `secret`: a secret, or something kept with one, of which nothing is shown; its bytes do not say what it is. */
  readonly holds: 'key' | 'secret' | 'certificates';
  /** Reads what only the name tells how to read, as a sidecar would. @throws PaycertError for what it cannot read */
  readonly describe?: (bytes: Uint8Array, name: string) => FileFacts | Promise<FileFacts>;
}

/** What `paycert init` makes of files that lie in a directory: which of them count, and the options that they tell. */
export interface Draft {
  readonly options: Readonly<Record<string, unknown>>;
  /** What the credential is about, in a name: a merchant id, an AppID. */
  readonly label?: string;
  /** Name in the material, which a Secret's key may have → the file that holds it. */
  readonly parts: ReadonlyMap<string, string>;
}

/** What no file tells, as people give it. */
export interface Told {
  readonly merchantId?: string | undefined;
  readonly appId?: string | undefined;
}

/** One platform. `O` is the schema of its options, as they are written under `provider` in the configuration. */
export interface Platform<O extends TObject = TObject> {
  /** What is written under `provider`; its folder has the same name in kebab case. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Every member with a description; an optional one also with its `default`, where it has one. */
  readonly options: O;
  create(options: Static<O>): Provider;
  /** Options under which its material is checked where no file gives them: none of its rules asks what they are. */
  readonly neutral?: Static<O>;
  /** What each operation takes; its credentials have no other. Documents and the tests of the one shape follow. */
  readonly takes: Takes;
  /** What no schema says of the account that the options name, such as an id of another platform; of options that are absent, nothing. Absent: nothing ever. */
  accountProblems?(options: Partial<Static<O>>): readonly { readonly option: string; readonly what: string }[];
  /** Where its gateway is, as origins of URLs; `*` stands for one or more labels. Empty: the partner's own address. */
  origins(options: Static<O>): readonly string[];
  /** Undefined: nothing is fetched with these options. Absent: never. */
  fetches?(options: Static<O>): Fetches | undefined;
  /** How an application's requests are forwarded to it. Absent: a proxy does not serve it. */
  forwards?(options: Static<O>): Forwarding;
  /** How the certificates that it signs with are downloaded. Absent: it lists none. */
  readonly certificateList?: CertificateList;
  /** How one of them is downloaded by its number. Undefined: its messages name none with these options. Absent: never. */
  certificateBySerial?(options: Static<O>): CertificateBySerial | undefined;
  /** How it is asked whether it takes a key. Absent: it cannot be asked. */
  readonly liveCheck?: LiveCheck;
  /** How its notifications are taken. Absent: it sends none. */
  notifies?(options: Static<O>): Notifying;
  /** How it is asked what became of an order. Absent: it has no orders. */
  queries?(options: Static<O>): Querying;
  readonly fileNames: readonly FileName[];
  /** What to add to the material so that it can do what it cannot, by what that is. `encrypt` is for the platform. */
  supplies?(options: Static<O>): Readonly<Partial<Record<Capability | 'encrypt', string>>>;
  /**
   * The material that is among these files, by what they hold; undefined where none of them is this platform's. Absent: its files
   * do not say whose they are.
   * @throws PaycertError `usage` for what must be told
   */
  draft?(files: ReadonlyMap<string, Uint8Array>, told: Told): Promise<Draft | undefined>;
  /** Names of parts that their owner changes together, and that no check can hold against each other: a key and its name. */
  readonly tied?: readonly (readonly string[])[];
  /** What the platform calls a certificate that it issued; undefined for one that is not known to be its own. */
  readonly describeCertificate?: (certificate: X509Certificate) => FileFacts | undefined;
  /** How its refusals are read, if it says what is wrong with a signature. */
  readonly refusals?: Refusals;
}

/** Keeps the type of the options, so that `create` is checked against its schema. */
export const definePlatform = <O extends TObject>(platform: Platform<O>): Platform<O> => platform;
