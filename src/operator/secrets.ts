// What is kept of a Secret's metadata, and how labels and annotations say what a PaymentCredential would.
import type { KubeObject } from '../kube/resources.ts';
import { domain, optionPrefix, providerLabel, requireAnnotation } from './labels.ts';
import type { PaymentCredential } from './resource.ts';

type Texts = Readonly<Record<string, string>>;

/** All that is cached of a Secret. Other annotations may hold its data, such as kubectl's last-applied-configuration. */
export interface SecretFacts {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Ours alone; absent when there are none. */
  readonly labels?: Texts;
  readonly annotations?: Texts;
}

export function readSecretFacts({ metadata }: KubeObject): SecretFacts {
  const { uid = '', resourceVersion = '' } = metadata;
  const [labels, annotations] = [ours(metadata.labels), ours(metadata.annotations)];
  return { uid, resourceVersion, ...(labels && { labels }), ...(annotations && { annotations }) };
}

function ours(all: Texts | undefined): Texts | undefined {
  const own = Object.entries(all ?? {}).filter(([name]) => name.startsWith(domain));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

export const isLabelled = ({ labels }: SecretFacts): boolean => labels?.[providerLabel] !== undefined;

/** A labelled Secret as if a resource named it. Whether it makes sense is found out where those of resources are. */
export function labelledSecret(
  namespace: string,
  name: string,
  { uid, resourceVersion, labels = {}, annotations = {} }: SecretFacts,
): PaymentCredential {
  const options = Object.entries(annotations)
    .filter(([annotation]) => annotation.startsWith(optionPrefix))
    .map(([annotation, text]) => [annotation.slice(optionPrefix.length), readOption(text)] as const);
  const require = annotations[requireAnnotation]?.split(',').map((word) => word.trim());
  const provider = Object.fromEntries([[labels[providerLabel] ?? '', Object.fromEntries(options)]]) as unknown;
  const spec = { provider, source: { secret: { name } }, ...(require && { require }) };
  return { kind: 'Secret', namespace, name, uid, resourceVersion, generation: 0, spec, status: undefined };
}

/** Objects, true and false as JSON. Digits stay text: a merchant id is one. */
function readOption(text: string): unknown {
  if (!/^(?:\{.*\}|true|false)$/s.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
