// Runs the bundle as a pod does: with a service account's files where kubelet mounts them, and so without a kubeconfig's reader.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { imageEnvironment, imageOptions } from '../support/image-settings.ts';

const bundle = join(import.meta.dirname, '../../bundle/dist/cli/main.js');
/** Beside the bundle as in the image; there it is filled when the image is built, here by the first that ends. */
const compileCache = join(import.meta.dirname, '../../bundle/compile-cache');

/** In a mount namespace of its own, /run is empty but for the service account. */
const script =
  'mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io && cp -r "$0" /run/secrets/kubernetes.io/serviceaccount && exec "$@"';

/** `serviceAccount`: a directory with token, ca.crt and namespace. `server`: an https address without a path. */
export function startInPod(words: readonly string[], serviceAccount: string, server: string): ChildProcess {
  const { hostname, port } = new URL(server);
  const env = {
    PATH: process.env['PATH'],
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    ...imageEnvironment,
    NODE_COMPILE_CACHE: compileCache,
  };
  const program = [process.execPath, ...imageOptions, bundle, ...words];
  return spawn('unshare', ['-rm', 'sh', '-c', script, serviceAccount, ...program], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
