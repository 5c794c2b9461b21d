// adapters/java with the real SDKs, by their tests in Java.
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { createAlipayMaterial, createSecretVolume, startAlipayGateway } from '../../src/testing/index.ts';
import { missing, runAdapterTests } from '../support/adapters.ts';
import { makeDirectory } from '../support/directories.ts';
import { startResigning } from '../support/resigning.ts';
import { startSdkWorld } from '../support/sdk-world.ts';
import { configuration, startSidecar } from '../support/sidecar.ts';

const skip = missing(['java', '--version'], ['mvn', '--version']);

/** An application in key mode: its gateway, one that signs with a key of its own, and a sidecar. */
async function startKeyed(t: TestContext): Promise<Readonly<Record<string, string>>> {
  const [directory, appId] = [await makeDirectory(t), '2021000000000001'];
  const material = await createAlipayMaterial({ appId, mode: 'key' });
  const { alipayKeys } = await createAlipayMaterial({ appId, mode: 'key' });
  const gateway = await startAlipayGateway({ material });
  const stranger = await startAlipayGateway({ material: { ...material, alipayKeys } });
  t.after(() => Promise.all([gateway.close(), stranger.close()]));
  const path = join(directory, 'keys');
  await createSecretVolume(path, material.files);
  const credential = `  - name: alipay-keyed\n    provider: { alipay: { appId: "${appId}", mode: key } }\n    source: { files: { path: ${JSON.stringify(path)} } }\n`;
  const sidecar = await startSidecar(t, directory, configuration(directory, [credential]), {
    waitFor: ['alipay-keyed'],
  });
  return {
    ALIPAY_KEYED_GATEWAY: `${gateway.url}/gateway.do`,
    ALIPAY_STRANGE_GATEWAY: `${stranger.url}/gateway.do`,
    PAYCERT_KEYED_SOCKET: sidecar.socket,
  };
}

it('the adapters of adapters/java', { skip, timeout: 900_000 }, async (t) => {
  const world = await startSdkWorld(t);
  const [{ env }, resigning, keyed] = [world, await startResigning(t, world), await startKeyed(t)];
  // Of the JVM of the tests alone: Maven's own has to reach the registry.
  const { JAVA_TOOL_OPTIONS: options, ...others } = env;
  const run = `mvn --batch-mode '-DargLine=${options ?? ''}' test`;
  await runAdapterTests(
    t,
    'java',
    { prepare: 'mvn --quiet --batch-mode dependency:resolve', run },
    { ...others, ...keyed, ...resigning.env },
  );
});
