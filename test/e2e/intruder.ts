// Runs where the application does, and tries what it must not be able to. Argument: the namespace. Prints what came of each.
import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { request } from 'node:https';

const attempt = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
};
const isOthers = (pid: string) => /^\d+$/.test(pid) && statSync(`/proc/${pid}`).uid !== process.getuid?.();
const path = `/api/v1/namespaces/${process.argv.at(-1) ?? ''}/secrets/wechat-main`;
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;

// Whoever the API server is: nothing is told to it.
request({ host, port, path, rejectUnauthorized: false, agent: false }, (answer) => {
  const tried = {
    token: attempt(() => readdirSync('/var/run/secrets/kubernetes.io/serviceaccount')),
    mount: attempt(() => readdirSync('/etc/paycert')),
    socket: attempt(() => unlinkSync('/run/paycert/paycert.sock')),
    'processes of others': readdirSync('/proc').filter(isOthers),
    'the Secret through the API': answer.statusCode,
  };
  console.log(JSON.stringify(tried));
  answer.destroy();
}).end();
