// What is kept of a Secret's metadata, and how labels and annotations say what a PaymentCredential would.
import { ResourceSpecSchema } from '../config/resource.ts';
import type { KubeObject } from '../kube/resources.ts';
import { domain, maxAgeAnnotation, optionPrefix, providerLabel, requireAnnotation } from './labels.ts';
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
  const kind = labels[providerLabel] ?? '';
  const options = Object.entries(annotations)
    .filter(([annotation]) => annotation.startsWith(optionPrefix))
    .map(([annotation, text]) => [annotation.slice(optionPrefix.length), text] as const)
    .map(([option, text]) => [option, readOption(text, typeOf(kind, option))] as const);
  const require = annotations[requireAnnotation]?.split(',').map((word) => word.trim());
  const provider = Object.fromEntries([[kind, Object.fromEntries(options)]]) as unknown;
  const maxAge = annotations[maxAgeAnnotation];
  const spec = {
    provider,
    source: { secret: { name } },
    ...(require && { require }),
    ...(maxAge !== undefined && { maxAge }),
  };
  return { kind: 'Secret', namespace, name, uid, resourceVersion, generation: 0, spec, status: undefined };
}

interface OptionSchema {
  readonly type?: string;
}

const providers = new Map(
  Object.entries(ResourceSpecSchema.properties.provider.properties).map(([kind, { properties }]) => [
    kind,
    new Map(Object.entries(properties as Readonly<Record<string, OptionSchema>>)),
  ]),
);

const typeOf = (kind: string, option: string): string | undefined => providers.get(kind)?.get(option)?.type;

/** Text stays text, since a merchant id is all digits. Everything else is JSON, unless it is a word. */
function readOption(text: string, type: string | undefined): unknown {
  if (type === 'string') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
