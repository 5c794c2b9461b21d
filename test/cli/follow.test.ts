// A followed file: what is valid becomes current, a mount that never updates is told once.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { files } from '../../src/sources/files.ts';
import { followFile } from '../../src/cli/follow.ts';
import { PaycertError } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import { material, type Source } from '../../src/sources/source.ts';

/** A source that shows these contents one after another. */
function scripted(contents: readonly (string | Error)[], frozenPaths: readonly string[] = []): Source {
  let at = -1;
  return {
    name: 'scripted',
    async read() {
      const content = contents[at] ?? '';
      if (content instanceof Error) throw content;
      return material(new Map([['file', Buffer.from(content)]]), { frozenPaths });
    },
    async *changes() {
      for (at = 0; at < contents.length; at += 1) yield 'event';
    },
  };
}

async function follow(source: Source): Promise<{ applied: string[]; events: Event[] }> {
  const [applied, events]: [string[], Event[]] = [[], []];
  const parse = (text: string): string => {
    if (text === 'bad') throw new PaycertError('config-invalid', 'it is bad');
    return text;
  };
  const parts = {
    file: 'configuration',
    source,
    parse,
    initial: 'first',
    apply: (next: string) => void applied.push(next),
  } as const;
  await followFile({ ...parts, observe: (event) => void events.push(event) }, new AbortController().signal);
  return { applied, events };
}

const typesOf = (events: readonly Event[]): string[] => events.map(({ type }) => type);

describe('a followed file', () => {
  it('is applied when it differs from what the process started with, and once', async () => {
    const { applied, events } = await follow(scripted(['first', 'second', 'second']));
    assert.deepEqual([applied, events], [['second'], []]);
  });

  it('is applied again when a refused one is repaired by the current content', async () => {
    const { applied, events } = await follow(scripted(['first', 'bad', 'bad', 'first']));
    assert.deepEqual([applied, typesOf(events)], [['first'], ['config-rejected']]);
  });

  it('is not told to be silent when the process stops while it is read', async () => {
    const stop = new AbortController();
    const source = files({
      paths: [join(import.meta.dirname, 'follow.test.ts')],
      pollMilliseconds: 1000,
      clock: systemClock,
      observe: () => assert.fail('nothing is told'),
    });
    const events: Event[] = [];
    const stopping: Source = {
      ...source,
      read(signal) {
        stop.abort();
        return source.read(signal);
      },
    };
    await followFile(
      {
        file: 'configuration',
        source: stopping,
        parse: String,
        initial: '',
        apply: () => undefined,
        observe: (event) => void events.push(event),
      },
      stop.signal,
    );
    assert.deepEqual(events, []);
  });

  it('that cannot be read is told once', async () => {
    const gone = new PaycertError('source-unreadable', 'it cannot be read');
    assert.deepEqual(typesOf((await follow(scripted([gone, gone, 'first']))).events), ['config-rejected']);
  });

  it('that is a subPath mount is told once, without a credential', async () => {
    const { events } = await follow(scripted(['first', 'first'], ['/etc/paycert/paycert.yaml']));
    assert.deepEqual(events, [{ type: 'mount-frozen', file: 'configuration', paths: ['/etc/paycert/paycert.yaml'] }]);
  });

  it('outlives a bug of whoever reads it', async () => {
    const { applied, events } = await follow(scripted([new TypeError('a bug'), 'second']));
    assert.deepEqual([applied, typesOf(events)], [['second'], ['internal-error']]);
  });
});
