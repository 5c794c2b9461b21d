// Which handshakes are under way: few of one address, few in all, the others in their order.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Handshakes, mostAtOnce, mostPerAddress } from '../../src/server/handshakes.ts';

function setUp() {
  const handshakes = new Handshakes();
  const begun: Socket[] = [];
  let remotePort = 1024;
  const come = (remoteAddress: string, count = 1): readonly Socket[] =>
    Array.from({ length: count }, () => {
      remotePort += 1;
      const socket = Object.assign(new EventEmitter(), { remoteAddress, remotePort }) as unknown as Socket;
      handshakes.take(socket, () => begun.push(socket));
      return socket;
    });
  return { handshakes, begun, come };
}

describe('handshakes', () => {
  it('of one address leave places to others, and continue in their order as each succeeds or ends', () => {
    const { handshakes, begun, come } = setUp();
    const many = come('10.0.0.1', mostPerAddress + 2);
    const [other] = come('10.0.0.2');
    assert.deepEqual(begun, [...many.slice(0, mostPerAddress), other]);
    const [first, second] = many;
    assert.ok(first && second);
    handshakes.over(first);
    // As its connection ends later: it holds no place any more.
    first.emit('close');
    assert.deepEqual(begun.slice(-1), many.slice(mostPerAddress, -1));
    second.emit('close');
    assert.deepEqual(begun.slice(-1), many.slice(-1));
  });

  it('are no more at once than take a moment, from however many addresses', () => {
    const { begun, come } = setUp();
    const all = Array.from({ length: mostAtOnce + 5 }, (_, index) => come(`10.0.1.${String(index)}`)).flat();
    assert.deepEqual(begun, all.slice(0, mostAtOnce));
    all.slice(0, 5).forEach((socket) => socket.emit('close'));
    assert.deepEqual(begun, all);
  });

  it('never begin for a connection that has ended while it waited', () => {
    const { begun, come } = setUp();
    const many = come('10.0.0.1', mostPerAddress + 2);
    many.at(-2)?.emit('close');
    many[0]?.emit('close');
    assert.deepEqual(begun, [...many.slice(0, mostPerAddress), many.at(-1)]);
  });
});
