// Platform certificates that an operator writes into a Secret: they are there with the merchant's own, and no state of that Secret takes away what signs or verifies.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { CertificateListState } from '../../src/events.ts';
import { withDistributed } from '../../src/gateway/distributed-certificates.ts';
import { certificateList } from '../../src/providers/wechatpay/certificate-list.ts';
import { downloadedName } from '../../src/providers/wechatpay/downloaded.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import type { WechatpayMaterial } from '../../src/testing/index.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeSource, unreadable } from '../support/fake-source.ts';
import { ownFiles } from '../support/listing.ts';
import { Recorder } from '../support/recorder.ts';
import { makeMaterial, merchantId, now } from '../support/wechatpay.ts';

/** As the operator writes them. */
const written = ({ platformKeys }: WechatpayMaterial): Files =>
  new Map(platformKeys.flatMap(({ keyId, issued }) => (issued ? [[downloadedName(keyId), Buffer.from(issued.certificate)]] : []))); // prettier-ignore

describe('platform certificates that an operator has downloaded', () => {
  let material: WechatpayMaterial;
  before(async () => {
    material = await makeMaterial();
  });

  function start(content: Files) {
    const [own, from, recorder] = [new FakeSource(), new FakeSource('secret:platform'), new Recorder()];
    own.content = ownFiles(material);
    from.content = content;
    const states: CertificateListState[] = [];
    const source = withDistributed(
      own,
      { credential: 'shop', provider: wechatpay({ merchantId }), list: certificateList, from },
      { clock: new FakeClock(now), observe: recorder.observe, report: (_, state) => states.push(state) },
    );
    const namesOf = async () => {
      const { data } = await source.read(new AbortController().signal);
      return [...data.keys()].filter((name) => certificateList.isListed(name)).sort();
    };
    const outcomes = () => states.map(({ outcome, error }) => error?.code ?? outcome);
    return { own, from, recorder, source, namesOf, outcomes };
  }

  it('are added to the material, and are its platform’s: a snapshot of what the merchant wrote is the same', async () => {
    const { source, namesOf, outcomes } = start(written(material));
    assert.deepEqual(await namesOf(), [...written(material).keys()].sort());
    const { data, fetched } = await source.read(new AbortController().signal);
    assert.deepEqual([...(fetched ?? [])].sort(), [...written(material).keys()].sort());
    const { set } = await wechatpay({ merchantId }).load(data);
    assert.equal(set.keys.filter(({ isDownloaded }) => isDownloaded).length, 2);
    assert.deepEqual(outcomes(), ['listed'], 'once, however often it is read');
  });

  it('stay while the Secret cannot be read or is empty, which is said once, and the merchant signs', async () => {
    const { from, namesOf, outcomes } = start(written(material));
    const names = await namesOf();
    from.failure = unreadable();
    for (let read = 1; read <= 3; read++) assert.deepEqual(await namesOf(), names);
    from.failure = undefined;
    from.content = new Map();
    assert.deepEqual(await namesOf(), names);
    assert.deepEqual(outcomes(), ['listed', 'source-unreadable']);
  });

  it('hold up no start: without them the material is what the merchant has', async () => {
    const { from, namesOf, outcomes } = start(new Map());
    assert.deepEqual(await namesOf(), []);
    from.failure = unreadable();
    assert.deepEqual(await namesOf(), []);
    assert.deepEqual(outcomes(), ['source-unreadable']);
  });

  it('are all that is taken from the Secret: nothing else in it replaces or joins a part of the merchant', async () => {
    const foreign = { 'apiclient_key.pem': 'x', apiv3_key: 'k'.repeat(32), 'wechatpay_AB.pem': 'x', 'trust.pem': 'x' };
    const more = Object.entries(foreign).map(([name, text]): [string, Buffer] => [name, Buffer.from(text)]);
    const { source, own } = start(new Map([...written(material), ...more]));
    const { data } = await source.read(new AbortController().signal);
    for (const [name] of more) assert.deepEqual(data.get(name), own.content.get(name));
  });

  it('are refused where they would make good material bad, and those before stay', async () => {
    const { from, own, namesOf, outcomes } = start(written(material));
    const names = await namesOf();
    const [name = ''] = names;
    from.content = new Map([[name, Buffer.from('no certificate')]]);
    assert.deepEqual(await namesOf(), names);
    assert.deepEqual(outcomes(), ['listed', 'certificate-list-invalid']);
    const merchants = material.merchant.certificate;
    from.content = new Map([[downloadedName(material.merchant.serialNumber), Buffer.from(merchants)]]);
    assert.deepEqual(await namesOf(), names, 'the merchant’s own certificate is none of the platform’s');
    from.content = written(material);
    assert.deepEqual(await namesOf(), names);
    assert.equal(outcomes().at(-1), 'listed');
    own.content = new Map([...own.content].filter(([part]) => part !== 'apiclient_key.pem'));
    assert.deepEqual(await namesOf(), names, 'what is wrong with the merchant’s own part is not theirs');
  });

  it('are a reason to look when either Secret changes', async () => {
    const { own, from, source } = start(written(material));
    const stop = new AbortController();
    const ticks = source.changes(stop.signal)[Symbol.asyncIterator]();
    for (const one of [own, from]) one.tick('start');
    assert.equal((await ticks.next()).value, 'start');
    for (const one of [own, from]) {
      one.tick();
      assert.equal((await ticks.next()).value, 'event');
    }
    stop.abort();
    await ticks.return?.();
  });
});
