// adapters/go with the real SDK, by its tests in Go.
import { it } from 'node:test';
import { missing, runAdapterTests } from '../support/adapters.ts';
import { startSdkWorld } from '../support/sdk-world.ts';

const skip = missing(['go', 'version']);

it('the adapter of adapters/go', { skip, timeout: 900_000 }, async (t) => {
  const { env } = await startSdkWorld(t);
  await runAdapterTests(t, 'go', { prepare: 'go mod download', run: 'go test -count=1 -v ./...' }, env);
});
