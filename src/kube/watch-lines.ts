// The lines of a watch as events: each is one JSON object, and one that is not has hidden a change.
import { malformed } from './responses.ts';
import { parseJson } from './request.ts';
import type { KubeObject, WatchEvent } from './resources.ts';

/** One event is one object, which is a few MiB at most. */
const maxLineBytes = 16 * 1024 * 1024;

/** @throws PaycertError `response-malformed` */
export async function* readEvents(chunks: AsyncIterable<Buffer>, what: string): AsyncGenerator<WatchEvent> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      const line = Buffer.concat([...rest, chunk.subarray(start, end)]).toString();
      [rest, size, start] = [[], 0, end + 1];
      yield toEvent(parseJson(line, what), what);
    }
    rest.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > maxLineBytes) throw malformed(what);
  }
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
