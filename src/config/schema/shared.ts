// What several schemas of the configuration have in common.
import Type from 'typebox';

export const closed = { additionalProperties: false } as const;
export const oneOf = { ...closed, minProperties: 1, maxProperties: 1 } as const;

export const Duration = (description: string) =>
  Type.String({
    pattern: '^[0-9]{1,7}(ms|s|m|h|d)$',
    form: 'a duration such as 500ms, 10s, 5m, 12h or 7d',
    description: `${description} Such as 500ms, 10s, 5m, 12h or 7d.`,
  });

/** Not zero: that would be a loop without a pause. */
export const Interval = (description: string) =>
  Type.String({
    pattern: '^0{0,6}[1-9][0-9]{0,6}(ms|s|m|h|d)$',
    form: 'a duration above zero such as 500ms, 10s or 5m',
    description: `${description} Not zero. Such as 500ms, 10s or 5m.`,
  });

/** A name as Kubernetes has it: a label of DNS, or several with dots between. */
export const objectName = {
  pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
  form: 'a name of lower-case letters, digits, - and . that begins and ends with a letter or digit',
} as const;

export const namespaceName = {
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  form: 'a name of at most 63 lower-case letters, digits and - that begins and ends with a letter or digit',
} as const;

/** It is part of addresses and a value of labels. */
export const credentialName = {
  pattern: '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$',
  form: 'a name of at most 63 lower-case letters, digits, - and . that begins and ends with a letter or digit',
} as const;

export const Keys = (description: string) =>
  Type.Record(Type.String({ maxLength: 253 }), Type.String({ minLength: 1, maxLength: 253 }), {
    maxProperties: 256,
    description,
  });
