// The public library API, by name. Importing it loads neither pino nor prom-client nor the Kubernetes client.

/**
 * Keys and certificates of payment platforms, which change while a program runs.
 *
 * A merchant signs requests to a platform (WeChat Pay, Alipay, Aliyun, a partner with HMAC or RSA-PSS, a bank with mTLS) with a
 * private key of its own, and trusts what comes back because a key of the platform signed it. Both sides replace their keys: on a
 * schedule, in a hurry, one file at a time. A program that read its keys at its start signs with the old one until it is
 * restarted; one that reads them again by itself will some day read half of a pair. Either refuses payments.
 *
 * This package keeps keys current. Its words:
 *
 * - **Material** is named bytes, such as `apiclient_key.pem`. A **source** says where they are (files, a Kubernetes Secret, Vault,
 *   Consul, etcd, the environment) and reads all of them as of one instant.
 * - A **credential** is a name, a source and a **provider**: the platform whose rules its material must keep.
 * - A **snapshot** is one set of keys that was read whole, checked and tried: its key has signed, and its certificate verified that.
 * - A **swap** makes a new snapshot current, in one assignment. Material that is invalid is **rejected**: the last good snapshot
 *   stays current, also beyond the end of its certificate. Material that is good and not valid yet is **deferred** until it is.
 * - Keys that a swap replaced are **retired**: they sign nothing any more, and still verify and decrypt until their grace ends.
 *
 * A program begins with {@link startPaycert}, which takes credentials as `paycert.yaml` has them, and asks for the current one
 * before each operation: `paycert.current('wechat-main').authorize(…)`. A signature and the key id beside it are of one set. The
 * next operation asks again, since it may find newer keys; there is nothing else to do when keys change. For connections that
 * present a certificate there are {@link createHttpsAgent}, {@link createDispatcher}, {@link followServer} and
 * {@link createSniCallback}.
 *
 * Content is text, taken as its UTF-8 bytes, or bytes (a `Buffer` or another `Uint8Array`). Times are `Date`; a number that is a
 * duration has its unit in its name. Neither a time nor a nonce need be given: it is now, and random.
 *
 * Whatever is refused is a {@link PaycertError}: `code` says what it is, `kind` who must act, `hint` what to do, and its message
 * names fields and never a value of a secret. Nothing here logs: `observe` receives an {@link Event} for all that happens.
 *
 * In the examples `paycert` is what the example of `startPaycert` made, with one more credential, `bank`, of the provider `mtls`;
 * `posted` is a notification as your HTTP server received it: its headers, and its body as raw bytes.
 *
 * RSA runs in libuv's thread pool: set `UV_THREADPOOL_SIZE` to the number of cores plus twelve.
 * @module
 */

import './node-version.ts';
export { type Clock, systemClock } from './clock.ts';
export type { CredentialConfig } from './config/schema/credential.ts';
export { type ErrorCode, type ErrorDetails, type ErrorKind, errorTable, PaycertError } from './errors.ts';
export type { Event, Observe, Outcome } from './events.ts';
export {
  type CallOptions,
  type CredentialState,
  type CurrentCredential,
  isReady,
  type LibraryOptions,
  type Paycert,
  type ReconcileOptions,
  type SnapshotFacts,
  startPaycert,
} from './library.ts';
export type {
  AuthorizedRequest,
  Capability,
  Decrypted,
  Encrypted,
  KeyFacts,
  KeySet,
  Moment,
  OpenedNotification,
  PaymentParametersInput,
  Signed,
  Verified,
} from './providers/provider.ts';
export type { Role } from './providers/roles.ts';
export type { TlsIdentities, TlsIdentity, TlsVersion } from './providers/shared/tls-identity.ts';
export type { OrderState } from './providers/querying.ts';
export type { Reconciled } from './reconcile/reconcile.ts';
export type { AskResponder } from './revocation/ask-responder.ts';
export type { Content } from './store/input.ts';
export type { Unopened } from './store/unopened.ts';
export type { At, ReceivedInput, RequestInput } from './store/one-use.ts';
export type { CiphertextInput, CredentialOperations, NotificationInput } from './store/use.ts';
export { createDispatcher, type DispatcherOptions } from './tls/dispatcher.ts';
export type { ConnectionOptions, DrainOptions } from './tls/draining-pools.ts';
export { createHttpsAgent, type HttpsAgentOptions } from './tls/https-agent.ts';
export type { Subscription } from './tls/secure-context.ts';
export { createSniCallback, followServer, type ServerOptions } from './tls/server.ts';
