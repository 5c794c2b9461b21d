// Run by a test in a user namespace without inotify: rotates a Secret under a real watch that fails, then lets it work.
import { writeFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { FakeClock } from './fake-clock.ts';
import { describeMaterial } from './fake-provider.ts';
import { Watching } from './watching.ts';

const [directory = '', limitFile = '', before = ''] = process.argv.slice(2);
const context = (keyId: string) => describeMaterial({ keyId });
const ends: (() => unknown)[] = [];
const t = { after: (end: () => unknown) => void ends.push(end) } as unknown as TestContext;

const clock = new FakeClock();
const volume = await createSecretVolume(directory, context('0'));
const watching = new Watching(t, { paths: [directory], clock, pollMilliseconds: 10_000 });
const { recorder } = watching;
const failed = recorder.next('watch-failed');
await watching.untilSignsWith('0');
await failed;
const time = setInterval(() => clock.advance(10_000), 20);
for (const id of ['1', '2', '3']) await watching.change(() => volume.write(context(id)), id);
const restarted = recorder.next('watch-restarted');
await writeFile(limitFile, before);
await restarted;
clearInterval(time);
// No time passes any more: only an event can tell of this one.
await watching.change(() => volume.write(context('4')), '4');
console.log(
  JSON.stringify({
    reasons: recorder.of('watch-failed').map(({ reason }) => reason),
    generation: watching.current.generation,
    restarted: recorder.of('watch-restarted').length,
    byEvent: true,
  }),
);
for (const end of ends) await end();
