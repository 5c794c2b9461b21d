// What is asked of a key service: together where it can be, bounded in number and time, and one key never at the cost of another.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { type Signed, Signer } from '../../src/keys/signer.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Recorder } from '../support/recorder.ts';

interface Sent {
  readonly way: string;
  readonly digests: readonly string[];
  readonly signal: AbortSignal;
  readonly answer: (result?: PaycertError) => void;
}

/** A signer whose requests are answered when the test says so: each digest signs as itself. */
function make(t: TestContext) {
  const clock = new FakeClock();
  const recorder = new Recorder();
  const sent: Sent[] = [];
  let told: (() => void)[] = [];
  const signer = new Signer<string>({
    ...{ service: 'hashivault', deadlineMilliseconds: 3000, clock, observe: recorder.observe },
    milliseconds: () => clock.now().getTime(),
    send: (way, digests, signal) =>
      new Promise<readonly Signed[]>((resolve, reject) => {
        const answer = (result?: PaycertError) => (result ? reject(result) : resolve(digests));
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        sent.push({ way, digests: digests.map((one) => Buffer.from(one).toString()), signal, answer });
        for (const tell of told.splice(0)) tell();
      }),
  });
  t.after(() => signer[Symbol.dispose]());
  return {
    clock,
    recorder,
    sent,
    sign: (lane: string, text: string) => signer.ask(lane, lane, Buffer.from(text)),
    untilSent: async (count: number) => {
      while (sent.length < count) await new Promise<void>((resolve) => (told = [...told, resolve]));
    },
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const unavailable = () => new PaycertError('key-service-unavailable', 'sealed');
const codeIs = (code: string) => (error: unknown) => error instanceof PaycertError && error.code === code;

describe('signatures of a key service', () => {
  it('that are asked for together go together, in order, and no more than 16', async (t) => {
    const { sign, sent, untilSent } = make(t);
    const all = Promise.all(numbers(20).map((text) => sign('a', text)));
    await untilSent(2);
    assert.deepEqual(
      sent.map(({ digests }) => digests.length),
      [16, 4],
    );
    for (const { answer } of sent) answer();
    assert.deepEqual((await all).map(String), numbers(20));
  });

  it('of different keys never share a request', async (t) => {
    const { sign, sent, untilSent } = make(t);
    const all = Promise.all(['a', 'b', 'a'].map((lane) => sign(lane, lane)));
    await untilSent(2);
    assert.deepEqual(
      sent.map(({ way, digests }) => [way, digests.length]),
      [
        ['a', 2],
        ['b', 1],
      ],
    );
    for (const { answer } of sent) answer();
    await all;
  });

  it('are at most eight requests at once, and a flood for one key does not hold up another', async (t) => {
    const { sign, sent, untilSent } = make(t);
    const flood = numbers(200).map((text) => sign('flood', text));
    await untilSent(8);
    const single = sign('single', 'x');
    // Nothing more is sent before one is answered.
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(sent.length, 8);
    sent[0]!.answer();
    await untilSent(9);
    sent[1]!.answer();
    await untilSent(10);
    assert.ok(sent.slice(8).some(({ way }) => way === 'single'));
    const answered = new Set([0, 1]);
    for (let left = true; left;) {
      left = false;
      for (const [index, { answer }] of sent.entries())
        if (!answered.has(index)) {
          answer();
          answered.add(index);
          left = true;
        }
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await Promise.all([...flood, single])).length, 201);
  });

  it('wait for company while four requests of their key are under way, and no other key waits with them', async (t) => {
    const { sign, sent, untilSent } = make(t);
    const all: Promise<unknown>[] = [];
    for (let count = 1; count <= 4; count += 1) {
      all.push(sign('a', String(count)));
      await untilSent(count);
    }
    all.push(sign('a', '5'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(sent.length, 4);
    all.push(sign('b', '6'), sign('a', '7'));
    await untilSent(5);
    assert.equal(sent[4]!.way, 'b');
    sent[0]!.answer();
    await untilSent(6);
    assert.deepEqual(sent[5]!.digests, ['5', '7']);
    // A full one waits for nothing but its turn.
    all.push(...numbers(16).map((text) => sign('a', text)));
    await untilSent(7);
    assert.equal(sent[6]!.digests.length, 16);
    for (const { answer } of sent.slice(1)) answer();
    await Promise.all(all);
  });

  it('wait for no company at a service that is far away, whose fastest response takes more than 10 ms', async (t) => {
    const { sign, sent, untilSent, clock } = make(t);
    /** Each asked for by itself; how many are under way together. */
    const together = async (count: number) => {
      const before = sent.length;
      const all = [];
      for (const text of numbers(count)) {
        all.push(sign('a', text));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return { requests: sent.slice(before), all };
    };
    const answerAfter = async (milliseconds: number) => {
      const done = sign('a', 'one');
      await untilSent(sent.length + 1);
      clock.advance(milliseconds);
      sent.at(-1)?.answer();
      await done;
    };
    await answerAfter(20);
    const far = await together(9);
    assert.equal(far.requests.length, 8);
    for (const { answer } of far.requests) answer();
    await untilSent(10);
    sent.at(-1)?.answer();
    await Promise.all(far.all);

    await answerAfter(4);
    const near = await together(5);
    assert.equal(near.requests.length, 4);
    const count = sent.length;
    for (const { answer } of near.requests) answer();
    await untilSent(count + 1);
    sent.at(-1)?.answer();
    await Promise.all(near.all);
  });

  it('that are more than 256 of one key are refused, and nothing is sent for them; another key has room', async (t) => {
    const { sign, clock, recorder } = make(t);
    const outcomes = numbers(257).map((text) =>
      sign('a', text).catch((error: unknown) => (error as PaycertError).code),
    );
    const other = sign('b', 'x').catch((error: unknown) => (error as PaycertError).code);
    assert.equal(await outcomes[256], 'key-service-overloaded');
    assert.equal(recorder.of('remote-signed').length, 1);
    clock.advance(3000);
    assert.deepEqual(new Set(await Promise.all([...outcomes.slice(0, 256), other])), new Set(['key-service-timeout']));
  });

  it('end with their deadline, waiting included, and call off a request that nobody waits for', async (t) => {
    const { sign, clock, sent, untilSent, recorder } = make(t);
    const hanging = numbers(128).map((text) => sign('a', text));
    await untilSent(8);
    const late = sign('b', 'x');
    const ends = Promise.all([...hanging, late].map((one) => assert.rejects(one, codeIs('key-service-timeout'))));
    clock.advance(2999);
    assert.equal(recorder.of('remote-signed').length, 0);
    clock.advance(1);
    await ends;
    assert.ok(sent.every(({ signal }) => signal.aborted));
    assert.deepEqual(new Set(recorder.of('remote-signed').map(({ outcome }) => outcome)), new Set(['timed-out']));
    assert.ok(recorder.of('remote-signed').every(({ seconds }) => seconds === 3));
  });

  it('that are asked for together share a timer, and leave none behind when all of them are made', async (t) => {
    const { sign, clock, sent, untilSent } = make(t);
    const idle = clock.sleeping.length;
    const all = numbers(32).map((text) => sign('a', text));
    await untilSent(2);
    assert.equal(clock.sleeping.length, idle + 1);
    for (const { answer } of sent) answer();
    await Promise.all(all);
    assert.equal(clock.sleeping.length, idle);
  });

  it('call off no request that others still wait for', async (t) => {
    const { sign, clock, sent, untilSent } = make(t);
    const hanging = numbers(8).map((lane) => sign(lane, lane));
    await untilSent(8);
    const early = sign('a', 'early');
    clock.advance(1000);
    const late = sign('a', 'late');
    sent[0]!.answer();
    await untilSent(9);
    assert.deepEqual(sent[8]!.digests, ['early', 'late']);
    const ends = [early, ...hanging.slice(1)].map((one) => assert.rejects(one, codeIs('key-service-timeout')));
    clock.advance(2000);
    await Promise.all(ends);
    assert.equal(sent[8]!.signal.aborted, false);
    sent[8]!.answer();
    assert.equal(String(await late), 'late');
  });

  it('are held back once ten requests failed: at once, and without another request', async (t) => {
    const { sign, sent, untilSent, recorder } = make(t);
    for (let n = 1; n <= 10; n++) {
      const one = sign('a', 'x');
      await untilSent(n);
      sent[n - 1]!.answer(unavailable());
      await assert.rejects(one, codeIs('key-service-unavailable'));
    }
    await assert.rejects(sign('a', 'x'), /nothing was sent to hashivault/);
    assert.equal(sent.length, 10);
    assert.deepEqual(
      recorder.of('key-service-changed').map(({ state }) => state),
      ['open'],
    );
    assert.equal(recorder.of('remote-signed').at(-1)?.outcome, 'held-back');
  });

  it('that the service refuses for one key are no failure of it: the others are signed', async (t) => {
    const { sign, sent, untilSent, recorder } = make(t);
    for (let n = 1; n <= 20; n++) {
      const one = sign('a', 'x');
      await untilSent(n);
      sent[n - 1]!.answer(new PaycertError('key-service-refused', 'no'));
      await assert.rejects(one, codeIs('key-service-refused'));
    }
    const good = sign('b', 'y');
    await untilSent(21);
    sent[20]!.answer();
    assert.equal(String(await good), 'y');
    assert.deepEqual(recorder.of('key-service-changed'), []);
  });
});

describe('signatures of a service that limits us', () => {
  const throttled = () => new PaycertError('key-service-throttled', 'too many');

  it('wait for another turn, and are made in the end', async (t) => {
    const { sign, clock, sent, untilSent, recorder } = make(t);
    const one = sign('a', 'x');
    await untilSent(1);
    sent[0]!.answer(throttled());
    await recorder.next('key-service-throttled');
    clock.advance(100);
    await untilSent(2);
    sent[1]!.answer();
    assert.equal(String(await one), 'x');
    assert.deepEqual(
      recorder.of('remote-signed').map(({ outcome }) => outcome),
      ['ok'],
    );
  });

  it('are half as many at once, and one more after each that was made', async (t) => {
    const { sign, clock, sent, untilSent, recorder } = make(t);
    const all = numbers(24).map((lane) => sign(lane, lane));
    await untilSent(8);
    for (const { answer } of sent.slice(0, 8)) answer(throttled());
    while (recorder.of('key-service-throttled').length < 8) await recorder.next('key-service-throttled');
    clock.advance(100);
    // One pause and one half for all that were refused together.
    await untilSent(12);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(sent.length, 12);
    for (let at = 8; at < 32; at++) {
      await untilSent(at + 1);
      sent[at]!.answer();
    }
    assert.deepEqual((await Promise.all(all)).map(String), numbers(24));
  });

  it('that still wait at their deadline say why, and open no breaker', async (t) => {
    const { sign, clock, sent, untilSent, recorder } = make(t);
    const first = sign('a', 'x');
    await untilSent(1);
    const second = sign('b', 'y');
    await untilSent(2);
    sent[0]!.answer(throttled());
    sent[1]!.answer(throttled());
    while (recorder.of('key-service-throttled').length < 2) await recorder.next('key-service-throttled');
    const ends = [first, second].map((one) => assert.rejects(one, codeIs('key-service-throttled')));
    clock.advance(3000);
    await Promise.all(ends);
    assert.deepEqual(new Set(recorder.of('remote-signed').map(({ outcome }) => outcome)), new Set(['throttled']));
    assert.deepEqual(recorder.of('key-service-changed'), []);
  });
});
