// paycert digest: what will need doing about the credentials of a cluster, as one message.
import { type Clock, systemClock } from '../../clock.ts';
import { paymentCredentials } from '../../config/resource.ts';
import { connect } from '../../kube/client.ts';
import { readAll } from '../../kube/listing.ts';
import { type Collection, type Namespace, ownNamespace } from '../../kube/resources.ts';
import { type PaymentCredential, readResource } from '../../operator/resource.ts';
import { readFilled, whyUnreadable } from '../../system/read-bounded.ts';
import { type Invocation, text, texts, usageError } from '../command.ts';
import { print } from '../table.ts';
import { digestOf } from './findings.ts';
import { asText, type ReceiverName, receivers } from './message.ts';
import { post, type PostOptions } from './post.ts';

/** Exit code 0: it was printed or taken, or there was nothing to post. @throws PaycertError `usage`, `digest-unposted` */
export async function digest({ values, signal }: Invocation): Promise<number> {
  const clock: Clock = systemClock;
  const webhook = await readWebhook(values);
  const client = connect(process.env);
  const places = placesOf(texts(values, 'namespace'), values['all-namespaces'] === true);
  const resources: PaymentCredential[] = [];
  for (const namespace of places) {
    const resource = paymentCredentials;
    const collection: Collection = namespace === undefined ? { resource } : { resource, namespace };
    const { objects } = await readAll(client, collection, readResource, signal);
    resources.push(...[...objects.values()].map(({ value }) => value));
  }
  const found = digestOf(resources, clock.now());
  if (webhook === undefined) print(values['output'] === 'json' ? JSON.stringify(found, undefined, 2) : asText(found));
  else if (found.findings.length > 0 || values['always'] === true) await post(found, { ...webhook, clock, signal });
  return 0;
}

/** Undefined: all namespaces. */
function placesOf(named: readonly string[], isEverywhere: boolean): readonly (Namespace | undefined)[] {
  if (isEverywhere) return [undefined];
  return named.length > 0 ? named : [ownNamespace];
}

/** @throws PaycertError `usage` */
export async function readWebhook(
  values: Invocation['values'],
): Promise<Omit<PostOptions, 'clock' | 'signal'> | undefined> {
  const [file, secretFile, templateFile] = ['webhook-file', 'sign-file', 'template'].map((name) => text(values, name));
  const receiver = text(values, 'receiver') ?? 'json';
  if (!isReceiver(receiver)) throw usageError(`--receiver is one of ${Object.keys(receivers).join(', ')}`);
  if (file === undefined) {
    for (const name of ['receiver', 'sign-file', 'template', 'proxy', 'always'])
      if (values[name] !== undefined) throw usageError(`--${name} needs --webhook-file`);
    return undefined;
  }
  if (templateFile !== undefined && receiver !== 'json') throw usageError('--template is for --receiver json');
  const address = URL.parse(await read(file, 'address of a webhook'));
  if (address === null || !/^https?:$/.test(address.protocol))
    throw usageError(`${file} holds no address of a webhook`);
  return {
    ...{ receiver, address, proxy: text(values, 'proxy') },
    secret: secretFile === undefined ? undefined : await read(secretFile, 'secret'),
    template:
      templateFile === undefined ? undefined : parsedTemplate(await read(templateFile, 'template'), templateFile),
  };
}

const isReceiver = (name: string): name is ReceiverName => Object.hasOwn(receivers, name);

async function read(path: string, called: string): Promise<string> {
  const bytes = await readFilled(path, called).catch((error: unknown) => {
    throw usageError(`${path} ${whyUnreadable(error)}`);
  });
  return bytes.toString().trim();
}

function parsedTemplate(content: string, path: string): unknown {
  try {
    return JSON.parse(content) as unknown;
  } catch {
    throw usageError(`${path} is no JSON`);
  }
}
