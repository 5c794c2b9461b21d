// What several schemas of the configuration have in common.
import Type from 'typebox';

export const closed = { additionalProperties: false } as const;
export const oneOf = { ...closed, minProperties: 1, maxProperties: 1 } as const;

export const Duration = (description: string) =>
  Type.String({
    pattern: '^[0-9]{1,7}(ms|s|m|h|d)$',
    description: `${description} Such as 500ms, 10s, 5m, 12h or 7d.`,
  });

/** Not zero: that would be a loop without a pause. */
export const Interval = (description: string) =>
  Type.String({
    pattern: '^0{0,6}[1-9][0-9]{0,6}(ms|s|m|h|d)$',
    description: `${description} Not zero. Such as 500ms, 10s or 5m.`,
  });

export const Keys = (description: string) =>
  Type.Record(Type.String({ maxLength: 253 }), Type.String({ minLength: 1, maxLength: 253 }), {
    maxProperties: 256,
    description,
  });
