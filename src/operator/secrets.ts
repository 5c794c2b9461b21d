// What is kept of a Secret's metadata, and how labels and annotations are read as the spec of a PaymentCredential.
import { ResourceSpecSchema } from '../config/resource.ts';
import { PaycertError, together } from '../errors.ts';
import { findCopies } from '../kube/copies.ts';
import type { KubeObject } from '../kube/resources.ts';
import { domain, maxAgeAnnotation, optionPrefix, providerLabel, requireAnnotation, usedByLabel } from './labels.ts';
import type { PaymentCredential } from './resource.ts';
import type { ResourceKey } from './resource-key.ts';

type Texts = Readonly<Record<string, string>>;

/** All that is cached of a Secret. Other annotations may hold its data, such as kubectl's last-applied-configuration. */
export interface SecretFacts {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Ours alone; absent when there are none. */
  readonly labels?: Texts;
  readonly annotations?: Texts;
  /** The names of annotations that hold what the Secret held when it was applied. */
  readonly copiedIn?: readonly string[];
}

export function readSecretFacts({ metadata }: KubeObject): SecretFacts {
  const { uid = '', resourceVersion = '' } = metadata;
  const [labels, annotations] = [ours(metadata.labels), ours(metadata.annotations)];
  const copiedIn = findCopies(metadata.annotations);
  return {
    uid,
    resourceVersion,
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(copiedIn.length > 0 && { copiedIn }),
  };
}

function ours(all: Texts | undefined): Texts | undefined {
  const own = Object.entries(all ?? {}).filter(([name]) => name.startsWith(domain));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

export const isLabelled = ({ labels }: SecretFacts): boolean => labels?.[providerLabel] !== undefined;

/** Whether its label lets the PaymentCredential of that name use it. */
export const allowsUse = ({ labels }: SecretFacts, name: string): boolean =>
  ['any', name].includes(labels?.[usedByLabel] ?? '');

/** Whether a webhook sees what is written to it: selectors see labels only. */
export const isReviewed = (facts: SecretFacts): boolean =>
  isLabelled(facts) || facts.labels?.[usedByLabel] !== undefined;

/** A labelled Secret as if a resource named it; its spec is validated together with those of resources. */
export function labelledSecret(
  { namespace, name }: ResourceKey,
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

/** Errors in the spec that labels and annotations make up, by their names: a Secret has no spec to correct. */
export function inLabels(error: PaycertError, { kind, spec }: PaymentCredential): PaycertError {
  if (kind !== 'Secret' || error.code !== 'resource-invalid') return error;
  const named = [error, ...error.others].map((one) => inItsLabel(one, spec));
  // That a label is unknown is said once, whatever else that makes wrong.
  const [first = error, ...others] = new Map(named.map((one) => [one.message, one])).values();
  return together(first, ...others);
}

function inItsLabel(error: PaycertError, spec: unknown): PaycertError {
  const { field } = error;
  if (field === undefined) return error;
  const said = (name: string, what: string, is: 'label' | 'annotation' = 'annotation') =>
    new PaycertError('labels-invalid', `${is} ${name} ${what}`, { field: name });
  const [provider = ''] = Object.keys((spec as { readonly provider: object }).provider);
  const options = providers.get(provider);
  if (options === undefined) return said(providerLabel, `is not one of ${[...providers.keys()].join(', ')}`, 'label');
  const text = error.message.slice(field.length + 1);
  if (/^spec\.require\b/.test(field)) return said(requireAnnotation, text);
  if (/^spec\.maxAge\b/.test(field)) return said(maxAgeAnnotation, text);
  const path = field.slice(`spec.provider.${provider}.`.length);
  const option = [...options.keys()].find((known) => path === known || path.startsWith(`${known}.`));
  // No annotation has a space in its name: that one is not repeated.
  if (option === undefined)
    return said(`${optionPrefix}${path.includes(' ') ? 'NAME' : path}`, 'is not an option of this provider');
  const inside = path.slice(option.length + 1);
  return said(`${optionPrefix}${option}`, inside === '' ? text : `does not fit: ${inside} ${text}`);
}

/** Text stays text, since a merchant id is all digits. Everything else is JSON, unless it is a word. */
function readOption(text: string, type: string | undefined): unknown {
  if (type === 'string') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
