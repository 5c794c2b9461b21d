// The table of commands. Each loads its code when it runs: a sidecar never loads the demo.
import { systemClock } from '../clock.ts';
import { type Command, outputOption, required, text, texts } from './command.ts';
import { duration } from './duration.ts';

const target = {
  socket: {
    type: 'string',
    value: 'PATH',
    help: 'the sidecar’s socket (default $PAYCERT_SOCKET, or /run/paycert/paycert.sock)',
  },
  url: { type: 'string', value: 'URL', help: 'the sidecar’s TCP address instead, such as http://127.0.0.1:8010' },
  'token-file': { type: 'string', value: 'FILE', help: 'the bearer token for --url' },
  output: outputOption,
} as const;

export const commands: Readonly<Record<string, Command>> = {
  demo: {
    summary: 'Run everything on demo material: sidecar, gateway, traffic, rotations',
    usage: '',
    options: {
      duration: {
        type: 'string',
        value: 'TIME',
        help: 'end after that time, such as 20s (default: until interrupted)',
      },
      origin: {
        type: 'string',
        value: 'NAME',
        help: 'where the keys come from: files (default), or a real vault, consul or etcd that is started for it',
      },
      out: {
        type: 'string',
        value: 'DIR',
        help: 'only write made-up material into a new directory, for a first trial on a cluster',
      },
    },
    positionals: { min: 0, max: 0 },
    isLongLived: true,
    async run({ values, signal, version }) {
      const out = text(values, 'out');
      if (out !== undefined) return (await import('./demo/write-material.ts')).writeDemoMaterial(out);
      const { runDemo } = await import('./demo/demo.ts');
      const [length, origin] = [text(values, 'duration'), text(values, 'origin')];
      const paycert = [process.execPath, ...process.argv.slice(1, 2)].join(' ');
      return runDemo(
        {
          version,
          paycert,
          ...(origin !== undefined && { origin }),
          ...(length !== undefined && { durationMilliseconds: duration(length, 'duration') }),
        },
        signal,
      );
    },
  },
  sidecar: {
    summary: 'Serve the local API next to a payment application',
    usage: '',
    options: {
      config: { type: 'string', short: 'c', value: 'FILE', help: 'paycert.yaml' },
      'config-env': {
        type: 'string',
        value: 'NAME',
        help: 'instead: the environment variable that holds the configuration, as in an injected sidecar',
      },
      drain: { type: 'string', value: 'TIME', help: 'after SIGTERM, keep serving that long (default 0s)' },
    },
    positionals: { min: 0, max: 0 },
    isLongLived: true,
    outputIsLog: true,
    sizesPool: true,
    async run({ values, signal, version }) {
      const [{ configPlace }, { poolSizeOf }, { runSidecar }] = await Promise.all([
        import('./sidecar-files.ts'),
        import('./sidecar-threads.ts'),
        import('./sidecar.ts'),
      ]);
      const config = configPlace(text(values, 'config'), text(values, 'config-env'));
      process.env['UV_THREADPOOL_SIZE'] ??= String(poolSizeOf(config, process.env));
      const drainMilliseconds = duration(text(values, 'drain') ?? '0s', 'drain');
      await runSidecar(
        {
          config,
          drainMilliseconds,
          version,
          clock: systemClock,
          environment: process.env,
        },
        signal,
      );
      return 0;
    },
  },
  operator: {
    summary: 'Check PaymentCredentials and their Secrets in a cluster, and write their status',
    usage: '',
    options: {
      namespace: {
        type: 'string',
        value: 'NAMESPACE',
        help: 'watch this namespace; may be given again (default: all)',
        isRepeatable: true,
      },
      'namespace-selector': {
        type: 'string',
        value: 'LABELS',
        help: 'instead: of all namespaces those with such labels, as of kubectl --selector',
        more: 'A label that is set or removed counts at once.',
      },
      'operator-class': {
        type: 'string',
        value: 'NAME',
        help: 'only what the label paycert.dev/operator-class says is of this class (default: what has no such label)',
        more: 'Of PaymentCredentials and labelled Secrets: see [below](#several-operators).',
      },
      secret: {
        type: 'string',
        value: 'NAMESPACE/NAME',
        help: 'watch only this Secret, by its name; may be given again (default: all in the namespaces)',
        more: 'Secrets of Helm’s releases are left out.',
        isRepeatable: true,
      },
      lease: {
        type: 'string',
        value: 'NAMESPACE/NAME',
        help: 'elect a leader among several replicas on this Lease (default: no election)',
        more: 'Without one, run one replica.',
      },
      'lease-duration': {
        type: 'string',
        value: 'TIME',
        help: 'others take over a Lease that was not renewed for so long (default 15s)',
        more: 'Longer than `--renew-deadline`.',
      },
      'renew-deadline': {
        type: 'string',
        value: 'TIME',
        help: 'how long a leader leads without a renewal (default 10s)',
        more: 'Then it writes nothing any more. Longer than `--retry-period`.',
      },
      'retry-period': {
        type: 'string',
        value: 'TIME',
        help: 'how often the Lease is renewed, and asked for (default 2s)',
      },
      concurrency: {
        type: 'string',
        value: 'N',
        help: 'how many resources are looked at in one moment (default 8)',
        more: '1 to 64. Each may hold a Secret of 1 MiB.',
      },
      'api-qps': {
        type: 'string',
        value: 'N',
        help: 'at most so many calls to the API server a second (default: no limit)',
        more: 'Elections and checks of tokens do not count.',
      },
      'api-burst': {
        type: 'string',
        value: 'N',
        help: 'with --api-qps: so many at once after a quiet time (default 50)',
      },
      'refresh-pods': { type: 'boolean', help: 'touch Pods labelled paycert.dev/refresh when their Secret changes' },
      fleet: {
        type: 'boolean',
        help: 'ask the sidecars of Pods labelled paycert.dev/sidecar which keys they have',
        more: 'See [fleet.md](fleet.md).',
      },
      'audit-ends': {
        type: 'string',
        value: 'NAMESPACE/NAME',
        help: 'with --fleet: remember in this ConfigMap how far the audits of sidecars went (default: in memory)',
        more: 'It must be there. See [audit.md](audit.md#an-end-that-was-cut-off).',
      },
      'download-certificates': {
        type: 'boolean',
        help: 'download the certificates that platforms sign with, where spec.platformCertificates asks for it',
        more: 'See [platform-certificates.md](platform-certificates.md).',
      },
      'way-out': {
        type: 'string',
        value: 'URL',
        help: 'an HTTP proxy that opens tunnels (CONNECT) to the platforms, for --download-certificates',
      },
      audit: {
        type: 'boolean',
        help: 'write down reviews, injected Pods and evictions: a chain of lines, on standard output unless something else is given',
        more: 'See [audit.md](audit.md#the-operator).',
      },
      'audit-key': { type: 'string', value: 'FILE', help: 'with --audit: the key of the chain' },
      'audit-directory': {
        type: 'string',
        value: 'DIR',
        help: 'with --audit: lines go into files, in a directory of this replica there',
      },
      'audit-max-bytes': {
        type: 'string',
        value: 'N',
        help: 'with --audit-directory: the oldest files make room beyond that (default 1073741824)',
      },
      'audit-retention': {
        type: 'string',
        value: 'TIME',
        help: 'with --audit-directory: how long lines are kept, as far as there is room (default 190d)',
      },
      'audit-otlp': {
        type: 'boolean',
        help: 'with --audit: lines go to the collector that OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT names',
      },
      'audit-stdout': { type: 'boolean', help: 'with --audit: lines go to standard output too' },
      'secret-opt-in': {
        type: 'boolean',
        help: 'read a Secret for a PaymentCredential only if its label paycert.dev/used-by allows it',
        more: 'See [below](#secrets-that-opt-in).',
      },
      address: { type: 'string', value: 'HOST:PORT', help: 'where health and metrics are (default :9464)' },
      tls: {
        type: 'string',
        value: 'DIR',
        help: 'serve them over TLS with tls.crt and tls.key of this directory, also when they change',
        more: 'See [below](#metrics-for-some).',
      },
      'metrics-auth': {
        type: 'boolean',
        help: 'answer /metrics only to accounts of the cluster that may get it',
        more: 'See [below](#metrics-for-some).',
      },
      'admission-address': {
        type: 'string',
        value: 'HOST:PORT',
        help: 'review Secrets and PaymentCredentials for the API server here, over TLS (default: no reviews)',
        more: 'See [admission.md](admission.md).',
      },
      'admission-tls': {
        type: 'string',
        value: 'DIR',
        help: 'with --admission-address: tls.crt and tls.key of this directory, also when they change',
      },
      'admission-secret': {
        type: 'string',
        value: 'NAMESPACE/NAME',
        help: 'instead: make and renew the certificate, and keep it in this Secret, which exists',
      },
      'admission-webhooks': {
        type: 'string',
        value: 'NAME',
        help: 'with --admission-secret: the ValidatingWebhookConfiguration that gets its authority',
      },
      'admission-host': {
        type: 'string',
        value: 'NAME',
        help: 'with --admission-secret: the name by which the API server calls; may be given again',
        isRepeatable: true,
      },
      'inject-image': {
        type: 'string',
        value: 'IMAGE',
        help: 'with --admission-address: inject a sidecar of this image into Pods that ask for one',
        more: 'See [injection.md](injection.md).',
      },
      'inject-webhooks': {
        type: 'string',
        value: 'NAME',
        help: 'with --admission-secret: the MutatingWebhookConfiguration that gets its authority too',
      },
      'inject-key-services': {
        type: 'string',
        value: 'JSON',
        help: 'with --inject-image: what every sidecar has under keyServices, and what it logs in with',
        more: 'See [injection.md](injection.md#keys-that-stay-elsewhere).',
      },
      'recreate-missing': {
        type: 'boolean',
        help: 'with --inject-image: evict Pods that ask for a sidecar and have none, one after the other',
        more: 'See [injection.md](injection.md#pods-without-their-sidecar).',
      },
      'log-level': {
        type: 'string',
        value: 'LEVEL',
        help: 'debug, info, warn or error (default info)',
        choices: ['debug', 'info', 'warn', 'error'],
      },
    },
    positionals: { min: 0, max: 0 },
    isLongLived: true,
    outputIsLog: true,
    async run({ values, signal, version }) {
      const { parseOperatorOptions } = await import('./operator-options.ts');
      const { runOperator } = await import('./operator.ts');
      const options = parseOperatorOptions({
        namespaces: texts(values, 'namespace'),
        namespaceSelector: text(values, 'namespace-selector'),
        operatorClass: text(values, 'operator-class'),
        secrets: texts(values, 'secret'),
        lease: text(values, 'lease'),
        leaseDuration: text(values, 'lease-duration'),
        renewDeadline: text(values, 'renew-deadline'),
        retryPeriod: text(values, 'retry-period'),
        concurrency: text(values, 'concurrency'),
        apiQps: text(values, 'api-qps'),
        apiBurst: text(values, 'api-burst'),
        tls: text(values, 'tls'),
        metricsAuth: values['metrics-auth'] === true,
        admission: {
          address: text(values, 'admission-address'),
          tls: text(values, 'admission-tls'),
          secret: text(values, 'admission-secret'),
          webhooks: text(values, 'admission-webhooks'),
          hosts: texts(values, 'admission-host'),
          injectImage: text(values, 'inject-image'),
          injectWebhooks: text(values, 'inject-webhooks'),
          injectKeyServices: text(values, 'inject-key-services'),
          recreatesMissing: values['recreate-missing'] === true,
        },
        refreshesPods: values['refresh-pods'] === true,
        asksFleet: values['fleet'] === true,
        auditEnds: text(values, 'audit-ends'),
        downloadsCertificates: values['download-certificates'] === true,
        wayOut: text(values, 'way-out'),
        audit: {
          isOn: values['audit'] === true,
          keyFile: text(values, 'audit-key'),
          stdout: values['audit-stdout'] === true,
          directory: text(values, 'audit-directory'),
          maxTotalBytes: text(values, 'audit-max-bytes'),
          retention: text(values, 'audit-retention'),
          otlp: values['audit-otlp'] === true,
        },
        secretOptIn: values['secret-opt-in'] === true,
        address: text(values, 'address'),
        logLevel: text(values, 'log-level'),
      });
      await runOperator({ ...options, version, clock: systemClock, environment: process.env }, signal);
      return 0;
    },
  },
  init: {
    summary: 'Write paycert.yaml for the keys in a directory, and say how to make its Secret',
    usage: 'DIR',
    options: {
      name: {
        type: 'string',
        value: 'NAME',
        help: 'of the credential and the Secret (default: wechat-MERCHANT, alipay-APPID)',
      },
      'merchant-id': { type: 'string', value: 'ID', help: 'where no certificate names the merchant, or several do' },
      'app-id': { type: 'string', value: 'ID', help: 'where no certificate names the application, or several do' },
      mount: {
        type: 'string',
        value: 'DIR',
        help: 'where pods mount the Secret, under its name (default /etc/paycert)',
      },
      'in-place': { type: 'boolean', help: 'read the keys where they are: for a trial on this machine' },
      out: {
        type: 'string',
        short: 'o',
        value: 'FILE',
        help: 'the configuration; never overwritten (default paycert.yaml)',
      },
    },
    positionals: { min: 1, max: 1 },
    async run({ values, positionals: [directory = '.'] }) {
      const { init } = await import('./init/init.ts');
      return init({
        directory,
        name: text(values, 'name'),
        merchantId: text(values, 'merchant-id'),
        appId: text(values, 'app-id'),
        mount: text(values, 'mount') ?? '/etc/paycert',
        isInPlace: values['in-place'] === true,
        out: text(values, 'out') ?? 'paycert.yaml',
      });
    },
  },
  wait: {
    summary: 'Wait until the operator has evaluated a version of a Secret; fail at once if it is rejected',
    usage: 'NAME',
    options: {
      'secret-version': {
        type: 'string',
        value: 'VERSION',
        help: 'the resourceVersion of the Secret as it was written; a later one that was evaluated counts too',
      },
      for: {
        type: 'string',
        value: 'WHAT',
        help: 'ready, or rolled-out: every Pod that runs has it, too (default ready)',
        choices: ['ready', 'rolled-out'],
      },
      namespace: { type: 'string', short: 'n', value: 'NAMESPACE', help: 'where it is (default: the kubeconfig’s)' },
      timeout: { type: 'string', value: 'TIME', help: 'fail with 75 after so long (default 60s)' },
    },
    positionals: { min: 1, max: 1 },
    run: async (invocation) => (await import('./wait.ts')).wait(invocation),
  },
  fleet: {
    summary: 'Show which Pods have what is stored, and which keys and versions of the sidecar they run',
    usage: '[NAME]',
    options: {
      namespace: { type: 'string', short: 'n', value: 'NAMESPACE', help: 'where it is (default: the kubeconfig’s)' },
      watch: { type: 'boolean', short: 'w', help: 'show it again when it has changed, until interrupted' },
      output: outputOption,
    },
    positionals: { min: 0, max: 1 },
    isLongLived: true,
    run: async (invocation) => (await import('./fleet/fleet.ts')).fleet(invocation),
  },
  digest: {
    summary: 'Say what will need doing about the PaymentCredentials of a cluster, or post it to a group chat',
    usage: '',
    options: {
      namespace: {
        type: 'string',
        short: 'n',
        value: 'NAMESPACE',
        help: 'where they are; may be given again (default: the kubeconfig’s)',
        isRepeatable: true,
      },
      'all-namespaces': { type: 'boolean', short: 'A', help: 'in all of them' },
      output: outputOption,
      'webhook-file': { type: 'string', value: 'FILE', help: 'post it to the address in this file, which is a secret' },
      receiver: {
        type: 'string',
        value: 'NAME',
        help: 'whose webhook it is: wecom, dingtalk, feishu or json (default json)',
      },
      'sign-file': {
        type: 'string',
        value: 'FILE',
        help: 'the secret that DingTalk or Feishu wants requests signed with',
      },
      template: {
        type: 'string',
        value: 'FILE',
        help: 'with json: a document with {{text}} and {{count}} in its texts',
      },
      proxy: {
        type: 'string',
        value: 'URL',
        help: 'an HTTP proxy on the way to the webhook, such as http://proxy:3128',
      },
      always: { type: 'boolean', help: 'post it even when there is nothing to say' },
    },
    positionals: { min: 0, max: 0 },
    run: async (invocation) => (await import('./digest/digest.ts')).digest(invocation),
  },
  promote: {
    summary: 'Let the next of two staged Secrets of a PaymentCredential sign, everywhere or by a share',
    usage: 'NAME',
    options: {
      percent: { type: 'string', value: 'N', help: 'in about so many of a hundred, 1 to 100 (default 100)' },
      of: {
        type: 'string',
        value: 'WHAT',
        help: 'pods, or requests: a share of those of every Pod (default pods)',
        choices: ['pods', 'requests'],
      },
      namespace: { type: 'string', short: 'n', value: 'NAMESPACE', help: 'where it is (default: the kubeconfig’s)' },
    },
    positionals: { min: 1, max: 1 },
    run: async (invocation) => (await import('./promote.ts')).promote(invocation),
  },
  rollback: {
    summary: 'Let the current of two staged Secrets of a PaymentCredential sign again, in every Pod',
    usage: 'NAME',
    options: {
      namespace: { type: 'string', short: 'n', value: 'NAMESPACE', help: 'where it is (default: the kubeconfig’s)' },
    },
    positionals: { min: 1, max: 1 },
    run: async (invocation) => (await import('./promote.ts')).rollback(invocation),
  },
  history: {
    summary: 'Show which snapshots of a PaymentCredential were accepted, when, and which program wrote them',
    usage: 'NAME',
    options: {
      namespace: { type: 'string', short: 'n', value: 'NAMESPACE', help: 'where it is (default: the kubeconfig’s)' },
      output: outputOption,
    },
    positionals: { min: 1, max: 1 },
    run: async (invocation) => (await import('./history.ts')).history(invocation),
  },
  inspect: {
    summary: 'Show what is in key and certificate files, or on standard input (-)',
    usage: 'PATH...',
    options: {
      output: outputOption,
      'merchant-id': { type: 'string', value: 'ID', help: 'opens apiclient_cert.p12: its password is the merchant id' },
    },
    positionals: { min: 1, max: 256 },
    async run({ values, positionals }) {
      const { inspect } = await import('./inspect/inspect.ts');
      return inspect(positionals, {
        merchantId: text(values, 'merchant-id'),
        isJson: values['output'] === 'json',
        now: systemClock.now(),
      });
    },
  },
  wrap: {
    summary: 'Wrap a value with a key in a file, for the source unwrap: for development',
    usage: '[FILE|-]',
    options: {
      'key-file': { type: 'string', value: 'FILE', help: '32 bytes in base64: openssl rand -base64 32' },
      context: {
        type: 'string',
        value: 'NAME=TEXT',
        help: 'what it is bound to, as `context` of the source says; may be given again',
        isRepeatable: true,
      },
    },
    positionals: { min: 0, max: 1 },
    async run({ values, positionals: [file] }) {
      const { wrap } = await import('./wrap.ts');
      return wrap(file, { keyFile: required(values, 'key-file'), context: texts(values, 'context') });
    },
  },
  validate: {
    summary: 'Run every check on a configuration and its material, without a running sidecar',
    usage: '',
    options: {
      config: { type: 'string', short: 'c', value: 'FILE', help: 'paycert.yaml, or - for standard input' },
      output: outputOption,
    },
    positionals: { min: 0, max: 0 },
    async run({ values, signal }) {
      const { validate } = await import('./validate.ts');
      return validate(required(values, 'config'), values['output'] === 'json', signal);
    },
  },
  explain: {
    summary: 'Explain why a platform refused a signature, from the body of its response',
    usage: '[BODY-FILE|-]',
    options: {
      signed: { type: 'string', value: 'FILE', help: 'the text that was signed, byte for byte' },
      request: {
        type: 'string',
        value: 'FILE',
        help: 'instead: what authorize was given and answered, as one JSON object (jq -s add GIVEN ANSWERED)',
      },
      ...target,
      socket: { ...target.socket, help: 'instead: the socket of the sidecar that signed, if it has `remember`' },
      nonce: { type: 'string', value: 'NONCE', help: 'that was sent, where the response does not show it' },
    },
    positionals: { min: 0, max: 1 },
    async run({ values, positionals: [file] }) {
      const { explain } = await import('./explain.ts');
      const [signed, request] = [text(values, 'signed'), text(values, 'request')];
      const nonce = text(values, 'nonce');
      const isAsked = ['socket', 'url', 'nonce'].some((name) => text(values, name) !== undefined);
      const { getSigned } = await import('./call-sidecar.ts');
      const recall = isAsked ? (mark: string) => getSigned(values, mark) : undefined;
      return explain({ file, signed, request, recall, nonce, isJson: values['output'] === 'json' });
    },
  },
  sign: {
    summary: 'Sign standard input, or a file, through a running sidecar',
    usage: 'CREDENTIAL [FILE]',
    options: target,
    positionals: { min: 1, max: 2 },
    run: async (invocation) => (await import('./client.ts')).sign(invocation),
  },
  verify: {
    summary: 'Verify standard input, or a file, through a running sidecar',
    usage: 'CREDENTIAL [FILE]',
    options: {
      ...target,
      signature: { type: 'string', value: 'BASE64', help: 'the signature over the message' },
      'key-id': { type: 'string', value: 'ID', help: 'the key that the signature names' },
    },
    positionals: { min: 1, max: 2 },
    run: async (invocation) => (await import('./client.ts')).verify(invocation),
  },
  decrypt: {
    summary: 'Decrypt a resource (JSON) or a field (base64) from standard input or a file',
    usage: 'CREDENTIAL [FILE]',
    options: target,
    positionals: { min: 1, max: 2 },
    run: async (invocation) => (await import('./client.ts')).decrypt(invocation),
  },
  reconcile: {
    summary: 'Ask the platform about orders whose notification never came, until each is final',
    usage: 'CREDENTIAL [FILE|-]',
    options: {
      config: { type: 'string', short: 'c', value: 'FILE', help: 'paycert.yaml, which has the credential' },
      orders: {
        type: 'string',
        value: 'URL',
        help: 'instead of lines: an address that lists order numbers, as a JSON array',
      },
      'orders-token-file': { type: 'string', value: 'FILE', help: 'with --orders: the bearer token to send' },
      for: {
        type: 'string',
        value: 'TIME',
        help: 'end after so long; what is not final is open (default: a day, by the platform’s times)',
      },
      after: {
        type: 'string',
        value: 'TIMES',
        help: 'when to ask, after the first time, such as 0s,15s,30s,3m (default: when notifications come)',
      },
      journal: {
        type: 'string',
        value: 'FILE',
        help: 'remembers what was asked and found out, so that the next run continues',
      },
      fallback: {
        type: 'string',
        value: 'CREDENTIAL',
        help: 'another interface of the same merchant, such as v2: asked where the first says nothing',
      },
    },
    positionals: { min: 1, max: 2 },
    isLongLived: true,
    run: async (invocation) => (await import('./reconcile/reconcile.ts')).reconcile(invocation),
  },
  audit: {
    summary: 'Verify the chain of an audit, or show lines of it',
    usage: 'verify|show PATH',
    options: {
      key: {
        type: 'string',
        value: 'FILE',
        help: 'the key of the chain; may be given again, where it has had several',
        isRepeatable: true,
      },
      head: {
        type: 'string',
        value: 'SEQ:NUMBER',
        help: 'verify: an end that was known, from paycert_audit_seq and paycert_audit_head',
      },
      credential: { type: 'string', value: 'NAME', help: 'show: lines about this credential' },
      type: { type: 'string', value: 'TYPE', help: 'show: lines of this type, such as signed or swapped' },
      request: { type: 'string', value: 'ID', help: 'show: lines about the request with this id' },
      since: { type: 'string', value: 'TIME', help: 'show: from then on: a time, or how long ago, such as 24h' },
      until: { type: 'string', value: 'TIME', help: 'show: before then' },
      find: {
        type: 'string',
        value: 'TEXT',
        help: 'show: with --key, lines whose path has this part, such as an order number',
      },
      output: outputOption,
    },
    positionals: { min: 2, max: 2 },
    words: ['verify', 'show'],
    run: async (invocation) => (await import('./audit/audit.ts')).audit(invocation),
  },
  proxy: {
    summary: 'Make the throw-away identity by which SDKs verify what the proxy has verified',
    usage: 'identity DIR',
    options: {},
    positionals: { min: 2, max: 2 },
    words: ['identity'],
    run: async (invocation) => (await import('./proxy-identity.ts')).proxy(invocation),
  },
  status: {
    summary: 'Show every credential of a running sidecar',
    usage: '[CREDENTIAL]',
    options: target,
    positionals: { min: 0, max: 1 },
    run: async (invocation) => (await import('./client.ts')).status(invocation),
  },
};
