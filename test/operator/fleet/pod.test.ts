// What is kept of a Pod, and which of its addresses are asked: what somebody writes into a status does not lead to other machines.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readPod } from '../../../src/operator/fleet/pod.ts';
import { isPodAddress } from '../../../src/operator/fleet/pod-address.ts';

const metadata = { namespace: 'pay', name: 'shop-1', uid: 'u' };
const status = { phase: 'Running', podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: 'True' }] };
const read = (more: object = {}, about: object = {}) =>
  readPod({ metadata: { ...metadata, ...about }, status, ...more }, isPodAddress);

describe('readPod', () => {
  it('finds the admin port by its name, of a native sidecar too, and takes 9464 otherwise', () => {
    const ports = [
      { name: 'http', containerPort: 80 },
      { name: 'paycert-admin', containerPort: 9999 },
    ];
    assert.deepEqual(read({ spec: { containers: [{ ports }] } }).address, { host: '10.0.0.7', port: 9999 });
    assert.deepEqual(read({ spec: { initContainers: [{ ports }], containers: [{}] } }).address?.port, 9999);
    assert.deepEqual(read({ spec: { containers: [{ ports: ports.slice(0, 1) }] } }).address?.port, 9464);
  });

  it('knows what it lists from the annotation and the label, and whether that is all', () => {
    const labels = { 'paycert.dev/refresh': 'wechat-main' };
    const annotations = { 'paycert.dev/credentials': ' alipay, wechat-main,,bank ' };
    const { declared, isComplete } = read({}, { labels, annotations });
    assert.deepEqual([[...declared].sort(), isComplete], [['alipay', 'bank', 'wechat-main'], true]);
    assert.deepEqual(read({}, { labels }).isComplete, false);
    const injected = read(
      {},
      { labels: { 'paycert.dev/inject': 'bank' }, annotations: { 'paycert.dev/injected': '{}' } },
    );
    assert.deepEqual([injected.declared, injected.isComplete], [['bank'], true]);
  });

  it('is over when its containers have ended, and runs on a node that is lost', () => {
    const phases = ['Pending', 'Running', 'Unknown', 'Succeeded', 'Failed'];
    const states = phases.map((phase) => read({ status: { ...status, phase } }));
    assert.deepEqual(states.map(({ isRunning }) => isRunning), [false, true, true, false, false]); // prettier-ignore
    assert.deepEqual(states.map(({ isOver }) => isOver), [false, false, false, true, true]); // prettier-ignore
  });
});

describe('isPodAddress', () => {
  it('permits what a Pod may have', () => {
    for (const address of [
      '10.0.0.7',
      '192.168.1.1',
      '100.64.0.1',
      '172.16.0.1',
      '203.0.113.9',
      'fd00::7',
      '2001:db8::7',
    ])
      assert.ok(isPodAddress(address), address);
  });

  it('refuses the machine itself, its link, groups, other forms of these, and what is no address', () => {
    const refused = [
      '127.0.0.1',
      '127.8.0.1',
      '0.0.0.0',
      '169.254.169.254',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
    ];
    const disguised = ['::ffff:127.0.0.1', '::ffff:7f00:1', 'fe80::1', 'fe80::1%eth0', 'ff02::1', '64:ff9b::7f00:1'];
    const none = ['', 'localhost', '10.0.0.7:80', '10.0.0', '0x7f.1', '2130706433', '10.0.0.7/x', '[::1]', '010.0.0.7'];
    for (const address of [...refused, ...disguised, ...none]) assert.ok(!isPodAddress(address), address);
  });
});
