// After a restart: what was kept becomes current again while the source has nothing that may.
import { attempt, type Credential, type Dependencies } from './attempt.ts';
import { noteUnkept, revoked } from './last-good.ts';

/**
 * While nothing is current: tries what was kept, by the same checks as anything else.
 * Gives its revision if it became current. Never throws.
 */
export async function restoreLastGood(
  credential: Credential,
  dependencies: Dependencies,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name, lastGood } = credential;
  const { store } = dependencies;
  if (lastGood === undefined || !store.has(name) || store.entry(name).snapshot !== undefined) return undefined;
  try {
    const kept = await lastGood.read(signal);
    if (kept === undefined || signal.aborted) return undefined;
    const { material, keptAt } = kept;
    const refusal = await attempt(credential, material, dependencies, { keptAt, signal });
    if (refusal === undefined) {
      store.update(name, (entry) => ({ ...entry, kept: { at: keptAt } }));
      return material.revision;
    }
    if (refusal.error.code === revoked) lastGood.drop(material);
    noteUnkept(name, refusal.error, dependencies);
  } catch (error) {
    if (!signal.aborted) noteUnkept(name, error, dependencies);
  }
  return undefined;
}
