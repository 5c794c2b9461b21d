// The CustomResourceDefinition of PaymentCredential, made of the definitions that paycert.yaml has too. Written by `npm run docs`.
import { stringify } from 'yaml';
import { paymentCredentials, ResourceSpecSchema } from '../src/config/resource.ts';
import { StatusSchema, unwrittenStatus } from '../src/operator/resource.ts';

/** The part of JSON Schema that the definitions use. */
interface Schema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: string | number | boolean;
  readonly pattern?: string;
  /** What the pattern asks for, in words. */
  readonly form?: string;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
}

/** What a structural schema has as it stands. */
const kept = ['description', 'type', 'format', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'required', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys']; // prettier-ignore

/** A default is told and not set: the API server would write it into every resource. */
const withDefault = ({ description, default: value }: Schema): Schema =>
  value === undefined ? {} : { description: `${description ?? ''} Default ${String(value)}.` };

const keep = (schema: Schema): Record<string, unknown> => {
  const told: Schema = { ...schema, ...withDefault(schema) };
  return Object.fromEntries(kept.flatMap((keyword) => (told[keyword] === undefined ? [] : [[keyword, told[keyword]]])));
};

const mapValues = <A, B>(record: Readonly<Record<string, A>>, change: (value: A, name: string) => B) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));

/** What bounds a text by its pattern alone: the API server reckons the cost of rules with this. */
const longestName = 253;

function structural(schema: Schema, path: string): Record<string, unknown> {
  const { anyOf, properties, patternProperties, items } = schema;
  const plain = keep(schema);
  if (anyOf) return { ...plain, ...union(anyOf, path) };
  if (patternProperties) {
    const [value = {}] = Object.values(patternProperties);
    bounded(schema.maxProperties, path);
    return { ...plain, additionalProperties: structural(value, `${path}.*`) };
  }
  if (properties)
    return { ...plain, properties: mapValues(properties, (value, name) => structural(value, `${path}.${name}`)) };
  if (items) {
    bounded(schema.maxItems, path);
    return { ...plain, items: structural(items, `${path}[]`) };
  }
  if (schema.type !== 'string') return plain;
  if (typeof schema.const === 'string') return { ...plain, enum: [schema.const] };
  bounded(schema.maxLength ?? schema.pattern, path);
  return { ...plain, maxLength: schema.maxLength ?? longestName, ...formed(schema, path) };
}

const rule = (text: string, message: string) => ({ rule: text, message });

/** A pattern as a rule: of a `pattern`, the API server would show the regular expression to who wrote the resource. */
function formed({ pattern, form }: Schema, path: string): Record<string, unknown> {
  if (pattern === undefined) return {};
  if (form === undefined) throw new Error(`${path} has a pattern, and no words for it`);
  const name = path.slice(path.lastIndexOf('.') + 1);
  return { 'x-kubernetes-validations': [rule(`self.matches(${JSON.stringify(pattern)})`, `${name} must be ${form}`)] };
}

function bounded(bound: unknown, path: string): void {
  if (bound === undefined) throw new Error(`${path} has no bound`);
}

/**
 * Words become an enum. A word or an object has no structural form: each of the two is bound by itself, and the rest of
 * it is checked by the operator, which says what it refuses in a condition.
 */
function union(options: readonly Schema[], path: string): Record<string, unknown> {
  const words = options.flatMap((option) => (typeof option.const === 'string' ? [option.const] : []));
  if (words.length === options.length) return { type: 'string', enum: words };
  const others = options.filter((option) => option.const === undefined);
  const [object] = others;
  if (others.length !== 1 || object?.properties === undefined)
    throw new Error(`${path} is a union that no CRD can have`);
  const { type: _, ...rest } = structural(object, path);
  // A text is one of the words; of an object, neither length nor words say anything.
  const isWord = { minLength: 1, anyOf: [{ enum: words }, { maxLength: 0 }] };
  return { 'x-kubernetes-preserve-unknown-fields': true, ...isWord, ...rest };
}

/** Required free text says who somebody is at the platform, such as a merchant id. */
const identity = ({ properties = {}, required = [] }: Schema): string[] =>
  required.filter((name) => properties[name]?.type === 'string');

/** Provider and merchant stay: whoever takes the kind out and puts it back finds the old one still there. */
function immutable(provider: Record<string, unknown>, definition: Schema): Record<string, unknown> {
  const kinds = Object.keys(definition.properties ?? {});
  const properties = provider['properties'] as Record<string, Record<string, unknown>>;
  const withRules = mapValues(properties, (options, kind) => {
    const rules = identity(definition.properties?.[kind] ?? {}).map((name) =>
      rule(`self.${name} == oldSelf.${name}`, `${name} cannot change: create another PaymentCredential`),
    );
    const described = { description: `Rules and options of ${kind}.`, ...options };
    return rules.length === 0 ? described : { ...described, 'x-kubernetes-validations': rules };
  });
  const isSameKind = kinds.map((kind) => `has(self.${kind}) == has(oldSelf.${kind})`).join(' && ');
  const message = 'the provider cannot change: create another PaymentCredential';
  return { ...provider, properties: withRules, 'x-kubernetes-validations': [rule(isSameKind, message)] };
}

function specSchema(): Record<string, unknown> {
  const definition = ResourceSpecSchema as unknown as Schema;
  const spec = structural(definition, 'spec');
  const properties = spec['properties'] as Record<string, Record<string, unknown>>;
  const provider = immutable(properties['provider'] ?? {}, definition.properties?.['provider'] ?? {});
  return {
    description: 'What paycert.yaml says of a credential, as far as it makes sense in a cluster.',
    ...spec,
    properties: { ...properties, provider },
  };
}

const column = (name: string, jsonPath: string, description: string, more: object = {}) => ({
  name,
  type: 'string',
  jsonPath,
  description,
  ...more,
});

const wide = { priority: 1 };
const wideDate = { type: 'date', priority: 1 };

const { group, version, plural } = paymentCredentials;

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: {
      kind: 'PaymentCredential',
      listKind: 'PaymentCredentialList',
      plural,
      singular: 'paymentcredential',
      shortNames: ['paycred'],
      categories: ['paycert'],
    },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          column('Provider', '.status.provider', 'The payment platform.'),
          column('Ready', '.status.conditions[?(@.type=="Ready")].status', 'Whether the Secret as stored will do.'),
          column('Source', '.spec.source.secret.name', 'The Secret that its keys come from.'),
          // Not a date: kubectl prints those of the future as <invalid>.
          column('Expires', '.status.notAfter', 'Until when the certificate of the key that signs is valid.'),
          column('Rejected', '.status.rejected.reason', 'Why the Secret as stored is rejected, if it is.'),
          column('Age', '.metadata.creationTimestamp', 'How old the resource is.', { type: 'date' }),
          column('Rejected Since', '.status.rejected.time', 'How long ago it was rejected.', wideDate),
          column('Reason', '.status.conditions[?(@.type=="Ready")].reason', 'Why it is ready or not.', wide),
          column('Key ID', '.status.keyId', 'The key that signs.', wide),
          column('Can', '.status.accepted.can', 'What the keys that were accepted last do now.', wide),
          column('Rolled Out', '.status.conditions[?(@.type=="RolledOut")].status', 'Whether every Pod has it.', wide),
          column('Old', '.status.fleet.old', 'How many Pods have another snapshot.', { ...wide, type: 'integer' }),
          column('Snapshot', '.status.accepted.snapshotId', 'What was accepted last.', wide),
          column('Secret Version', '.status.observedSecretVersion', 'The version that was evaluated.', wide),
        ],
        schema: {
          openAPIV3Schema: {
            description: 'A set of payment keys: whose rules they follow, and the Secret that holds them.',
            type: 'object',
            required: ['spec'],
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
              spec: specSchema(),
              status: { ...structural(StatusSchema as unknown as Schema, 'status'), default: unwrittenStatus },
            },
          },
        },
      },
    ],
  },
};

export const crdPath = `deploy/crds/${plural}.${group}.yaml`;

export const crdText = (): string =>
  `# Generated by npm run docs from src/config/schema/. Do not edit.\n${stringify(definition, { lineWidth: 120 })}`;
