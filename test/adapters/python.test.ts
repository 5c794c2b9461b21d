// adapters/python with the real SDKs, by their tests in Python.
import { it } from 'node:test';
import { cacheFolder, missing, runAdapterTests } from '../support/adapters.ts';
import { startResigning } from '../support/resigning.ts';
import { startSdkWorld } from '../support/sdk-world.ts';

const venv = cacheFolder('python');
const skip = missing(['python3', '--version']);

it('the adapters of adapters/python', { skip, timeout: 900_000 }, async (t) => {
  const world = await startSdkWorld(t);
  const env = { ...world.env, ...(await startResigning(t, world)).env };
  const install = `python3 -m venv '${venv}' && '${venv}/bin/pip' install --quiet --disable-pip-version-check -r requirements.txt`;
  await runAdapterTests(
    t,
    'python',
    { prepare: install, run: `'${venv}/bin/python' -m unittest discover -v -s tests -t .` },
    env,
  );
});
