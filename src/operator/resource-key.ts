// ResourceKey: kind, namespace and name of one object, passed as one value from watch to queue to reconciler.
export type Kind = 'PaymentCredential' | 'Secret';

export class ResourceKey {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;

  constructor(kind: Kind, namespace: string, name: string) {
    this.kind = kind;
    this.namespace = namespace;
    this.name = name;
  }

  /** The reverse of `toString`. */
  static fromString(text: string): ResourceKey {
    const [kind, namespace, name, ...rest] = text.split('/');
    if (
      (kind !== 'PaymentCredential' && kind !== 'Secret') ||
      namespace === undefined ||
      name === undefined ||
      rest.length > 0
    )
      throw new TypeError(`"${text}" is not KIND/NAMESPACE/NAME`);
    return new ResourceKey(kind, namespace, name);
  }

  /** Equal for equal keys, so that maps use it; neither part can hold a slash. */
  toString(): string {
    return `${this.kind}/${this.namespace}/${this.name}`;
  }

  /** For people: `namespace/name`. */
  get object(): string {
    return `${this.namespace}/${this.name}`;
  }
}
