// Run by a test as a process of its own, as kubelet is one: swaps versions in turn, as many at a time as it is told.
import { createSecretVolume, type Files } from '../../src/testing/secret-volume.ts';

export interface Burst {
  readonly directory: string;
  /** Written one after the other without a pause; then an answer is sent. */
  readonly versions: readonly Files[];
}

process.on('message', (message) => {
  const { directory, versions } = message as Burst;
  void (async () => {
    for (const files of versions) await createSecretVolume(directory, files);
    process.send?.('written');
  })();
});
