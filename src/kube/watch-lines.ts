// The lines of a watch as events: each is one JSON object, and one that is not has hidden a change.
import { malformed } from './responses.ts';
import { parseJson } from './request.ts';
import type { KubeObject, WatchEvent } from './resources.ts';
import { readLines } from '../system/request.ts';

/** One event is one object, which is a few MiB at most. */
const maxLineBytes = 16 * 1024 * 1024;

/** @throws PaycertError `response-malformed` */
export async function* readEvents(chunks: AsyncIterable<Buffer>, what: string): AsyncGenerator<WatchEvent> {
  for await (const line of readLines(chunks, maxLineBytes, () => malformed(what)))
    yield toEvent(parseJson(line.toString(), what), what);
}

function toEvent(value: unknown, what: string): WatchEvent {
  const { type, object } = (value ?? {}) as Partial<Record<keyof WatchEvent, unknown>>;
  if (typeof type !== 'string' || !isObject(object)) throw malformed(what);
  return { type, object };
}

/** Whether it is what every object of the API is. An `ERROR` holds a Status, whose metadata is empty. */
export function isObject(value: unknown): value is KubeObject {
  const metadata: unknown = (value as Partial<KubeObject> | null | undefined)?.metadata;
  return typeof metadata === 'object' && metadata !== null;
}
