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
export const Interval = (description: string, about: { readonly default?: string } = {}) =>
  Type.String({
    ...about,
    pattern: '^0{0,6}[1-9][0-9]{0,6}(ms|s|m|h|d)$',
    form: 'a duration above zero such as 500ms, 10s or 5m',
    description: `${description} Not zero. Such as 500ms, 10s or 5m.`,
  });

/** No scheme and no path: those are of addresses that are called. */
export const listenAddress = {
  pattern: '^[0-9A-Za-z._:%\\[\\]-]*:[0-9]{1,5}$',
  form: 'an address and a port such as 127.0.0.1:8010 or :9464',
  maxLength: 262,
} as const;

/** Of a platform, or of a double of one. */
export const Origin = (description: string) =>
  Type.String({
    pattern: '^https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?$',
    form: 'an address with its scheme and without a path, such as https://api.mch.weixin.qq.com',
    maxLength: 270,
    description,
  });

/** No shell reads it. */
export const filePath = {
  minLength: 1,
  pattern: '^[^~$]',
  form: 'a path that is written out: no ~ and no variable is expanded',
} as const;

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

/** `form`: of the names on the right, where the place that has them allows only some. */
export const Keys = (description: string, form: { readonly pattern?: string; readonly form?: string } = {}) =>
  Type.Record(
    Type.String({ pattern: '^[^\\x00-\\x1f\\x7f]{1,253}$' }),
    Type.String({ minLength: 1, maxLength: 253, ...form }),
    { ...closed, nameForm: 'a name of one line and at most 253 characters', maxProperties: 256, description },
  );
