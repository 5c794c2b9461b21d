// Values as OTLP writes them in JSON, and a request around them: https://opentelemetry.io/docs/specs/otlp/, JSON Protobuf encoding.

/** Undefined: there is no such attribute. */
export type Value = string | number | boolean | undefined;

export interface KeyValue {
  readonly key: string;
  readonly value: object;
}

export const attributesOf = (values: Readonly<Record<string, Value>>): readonly KeyValue[] =>
  Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: valueOf(value) }]));

/** Whole numbers have 64 bits, and so are text. */
function valueOf(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Of a time in milliseconds since 1970, to the microsecond. */
export const nanosecondsOf = (milliseconds: number): string => `${Math.round(milliseconds * 1000)}000`;

/** How a request names what it holds, and its response what was refused of it. */
const frames = {
  traces: { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans', refused: 'rejectedSpans' },
  logs: { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords', refused: 'rejectedLogRecords' },
} as const;

export type Frame = (typeof frames)[keyof typeof frames];

export const frameOf = (signal: keyof typeof frames): Frame => frames[signal];

/** The whole of a request, around items that are JSON already. */
export function bodyOf(
  frame: Frame,
  { resource, version }: { readonly resource: Readonly<Record<string, Value>>; readonly version: string | undefined },
  items: readonly string[],
): string {
  const around = JSON.stringify({
    [frame.resources]: [
      {
        resource: { attributes: attributesOf(resource) },
        [frame.scopes]: [{ scope: { name: 'paycert', version }, [frame.items]: [] }],
      },
    ],
  });
  const at = around.length - ']}]}]}'.length;
  return `${around.slice(0, at)}${items.join(',')}${around.slice(at)}`;
}
