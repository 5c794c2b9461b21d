// A dispatcher for undici that shows the certificate that is current. The only importer of undici, which is loaded on demand.
import { TLSSocket } from 'node:tls';
import type { Agent, Dispatcher, Pool } from 'undici';
import { systemClock } from '../clock.ts';
import { loadOptional } from '../optional-package.ts';
import type { TlsIdentity } from '../providers/shared/tls-identity.ts';
import { createAdmission, trustOf } from '../revocation/peer.ts';
import { type ConnectionOptions, DrainingPools } from './draining-pools.ts';
import { Responders } from '../revocation/responders.ts';
import { createLookup } from '../system/lookup.ts';
import { buildSecureContext, type Subscription } from './secure-context.ts';

/** As undici's, without what would take the certificate's place, or let a request wait with the certificate of its time. */
export type DispatcherOptions = Omit<Agent.Options, 'connect' | 'connections' | 'factory' | 'maxOrigins'>;

/**
 * A dispatcher whose new requests use the certificate that is current for the server's name. Connections of one that was
 * replaced take no new request; they close when they are idle, at the latest after `drainMilliseconds`, which ends requests
 * too. `close()` or `destroy()` it when it is not needed any more. Needs the package undici, for whose `request` and `fetch` it
 * is made. Requests reject with what `current` throws, `operation-unsupported` where the credential presents no certificate, and
 * `server-name-unknown`.
 * @throws PaycertError `package-missing` without the package undici
 * @example
 * import { createDispatcher } from 'paycert';
 * import { request } from 'undici';
 *
 * const dispatcher = await createDispatcher(paycert, 'bank');
 * const { statusCode, body } = await request('https://api.bank.example/', { dispatcher });
 * console.log(statusCode, await body.text()); // → 200 ok
 * await dispatcher.close();
 */
export async function createDispatcher(
  followed: Subscription,
  credential: string,
  { drainMilliseconds, clock = systemClock, askResponder, ...options }: DispatcherOptions & ConnectionOptions = {},
): Promise<Dispatcher> {
  const undici = await loadOptional('undici', 'createDispatcher', () => import('undici'));

  const responders = new Responders(clock, askResponder);
  const { connectTimeout, allowH2, socketPath, maxCachedSessions, autoSelectFamily, autoSelectFamilyAttemptTimeout } =
    options;
  const connectorOptions = {
    // As the agent for node:https: in no thread that signs.
    lookup: createLookup(),
    timeout: connectTimeout,
    allowH2,
    socketPath,
    maxCachedSessions,
    autoSelectFamily,
    autoSelectFamilyAttemptTimeout,
  };

  /** As for node:https: TLS sessions are kept per agent, and not at all where servers are asked for more. */
  const connect = (identity: TlsIdentity) => {
    const admit = createAdmission(trustOf([identity], identity), responders, clock, 'the server’s certificate');
    const connector = undici.buildConnector({
      ...Object.fromEntries(Object.entries(connectorOptions).filter(([, value]) => value !== undefined)),
      secureContext: buildSecureContext(identity),
      ...(admit && { maxCachedSessions: 0 }),
    });
    // Kept here: an agent that closes forgets its pools, and its destroy() then ends none of them (8.12.4).
    const pools = new Set<Pool>();
    const agent = new undici.Agent({
      ...options,
      connect(target, connected) {
        connector(target, (...answer) => {
          const [, socket] = answer;
          if (admit === undefined || !(socket instanceof TLSSocket)) connected(...answer);
          else
            admit(socket).then(
              () => connected(null, socket),
              (problem: unknown) => connected(problem as Error, null),
            );
        });
      },
      factory(origin, poolOptions) {
        const pool = new undici.Pool(origin, poolOptions);
        for (const known of pools) if (known.destroyed) pools.delete(known);
        pools.add(pool);
        return pool;
      },
    });
    return {
      dispatch: agent.dispatch.bind(agent),
      drain: () => agent.close(),
      destroy() {
        for (const pool of pools) void pool.destroy();
        void agent.destroy();
      },
    };
  };
  const connections = new DrainingPools(followed, credential, connect, {
    ...(drainMilliseconds !== undefined && { drainMilliseconds }),
    clock,
  });

  return new (class extends undici.Dispatcher {
    override dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
      return connections.take(new URL(String(request.origin)).hostname).dispatch(request, handler);
    }

    override close(): Promise<void>;
    override close(done: () => void): void;
    override close(done?: () => void): Promise<void> | void {
      const closed = connections.close();
      if (done === undefined) return closed;
      void closed.then(done);
    }

    override destroy(): Promise<void>;
    override destroy(error: Error | null): Promise<void>;
    override destroy(done: () => void): void;
    override destroy(error: Error | null, done: () => void): void;
    override destroy(first?: Error | null | (() => void), second?: () => void): Promise<void> | void {
      connections.destroy();
      const done = typeof first === 'function' ? first : second;
      if (done === undefined) return Promise.resolve();
      done();
    }
  })();
}
