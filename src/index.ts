// The public library API, by name. Importing it loads neither pino nor prom-client nor the Kubernetes client.
import './node-version.ts';
export { type Clock, systemClock } from './clock.ts';
export type { CredentialConfig } from './config/schema/credential.ts';
export { type ErrorCode, type ErrorKind, errorTable, PaycertError } from './errors.ts';
export type { Event, Observe, Outcome } from './events.ts';
export { createDispatcher } from './tls/dispatcher.ts';
export type { AskResponder } from './revocation/ask-responder.ts';
export type { ConnectionOptions, DrainOptions } from './tls/draining-pools.ts';
export { createHttpsAgent } from './tls/https-agent.ts';
export { createSniCallback, followServer, type ServerOptions } from './tls/server.ts';
export type { Subscription } from './tls/secure-context.ts';
export {
  type CallOptions,
  type CurrentCredential,
  type LibraryOptions,
  type Paycert,
  startPaycert,
} from './library.ts';
export type * from './providers/provider.ts';
export type { TlsIdentities, TlsIdentity, TlsVersion } from './providers/shared/tls-identity.ts';
export type { Snapshot } from './store/snapshot.ts';
export { type Entry, isReady } from './store/store.ts';
