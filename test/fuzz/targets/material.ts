// Whole material: after each attempt the last good snapshot is current, or one whose every claim holds.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { Limiter } from '../../../src/store/limiter.ts';
import { PaycertError } from '../../../src/errors.ts';
import { wechatpay } from '../../../src/providers/wechatpay/provider.ts';
import { describeCredential } from '../../../src/server/credential-status.ts';
import { material as toMaterial } from '../../../src/sources/source.ts';
import { attempt } from '../../../src/store/attempt.ts';
import type { Snapshot } from '../../../src/store/snapshot.ts';
import { Store } from '../../../src/store/store.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { type Files, withHalfWrittenFile } from '../../../src/testing/index.ts';
import { type Corpus, merchantId, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateArmouredDer, mutateDer } from '../mutate-der.ts';
import { mutateText } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { mutate, refusalOf, type Target } from '../target.ts';
import { commonName, findKnown, serialOf } from './independent.ts';

const mutations = [
  ...byteMutations,
  ...byteMutations.map(() => mutateText),
  ...byteMutations.map(() => mutateArmouredDer),
  mutateDer,
  mutateDer,
];
const clock = { now: () => now, sleep: () => Promise.resolve() };
const name = 'shop';
const credential = { name, older: 'accept', graceMilliseconds: 60_000 } as const;

/** Good sets of files, each with other parts than the next. */
function goodSets({ material, next, containers, texts }: Corpus): Files[] {
  const withChanges = (files: Files, changes: Record<string, Uint8Array | string | undefined>): Files => {
    const changed = new Map(files);
    for (const [file, content] of Object.entries(changes)) {
      if (content === undefined) changed.delete(file);
      else changed.set(file, Buffer.from(content));
    }
    return changed;
  };
  const { files, merchant } = material;
  const quick = containers.at(-1);
  return [
    files,
    next.files,
    withChanges(files, { 'apiclient_cert.pem': undefined, merchant_serial: `serial=${merchant.serialNumber}\n` }),
    withChanges(files, { merchant_serial: merchant.serialNumber }),
    withChanges(files, {
      'apiclient_key.pem': undefined,
      'apiclient_cert.pem': undefined,
      'apiclient_cert.p12': quick,
    }),
    withChanges(files, {
      'retired/old.pem': Buffer.concat([texts[0] ?? Buffer.alloc(0), texts[2] ?? Buffer.alloc(0)]),
    }),
    withChanges(files, { 'trust.pem': material.authority.certificate, 'certificates.json': '{"data":[{}]}' }),
  ];
}

function mutateFiles(sets: readonly Files[], { texts, material }: Corpus, random: Random): Files {
  const files = new Map(random.pick(sets));
  for (let count = random.size(3); count > 0; count--) {
    const [file, bytes] = random.pick([...files]);
    const other = random.pick([...random.pick(sets)]);
    const kind = random.below(12);
    if (kind === 0) files.delete(file);
    else if (kind === 1) files.set(file, other[1]);
    else if (kind === 2)
      files.set(random.pick(['wechatpay_.pem', 'platform/a.pem', 'retired/b.pem', '__proto__']), bytes);
    else if (kind === 3) files.set(...other);
    else if (kind === 4) files.set(file, withHalfWrittenFile({ ...material, files }, file).get(file) ?? bytes);
    else files.set(file, mutate(Buffer.from(bytes), mutations, random, texts));
  }
  return files;
}

/** The signature verifies under the named key, by node:crypto alone; its certificate is the merchant's, and valid. */
async function assertFit(snapshot: Snapshot, files: Files): Promise<void> {
  const message = Buffer.from('signed by what has become current');
  const { signature, keyId } = await snapshot.sign(message);
  const facts = snapshot.context.set.signer?.facts;
  assert.ok(facts, 'what is current has a signer');
  const known = findKnown(files).get(facts.fingerprint);
  assert.ok(known, 'the key that signs is in the files');
  assert.ok(verify('sha256', message, known.publicKey, signature), 'the signature verifies under the named key');
  assert.ok((known.publicKey.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048, 'the key is large enough');
  const { certificate } = known;
  if (certificate === undefined) {
    assert.equal(serialOf(keyId), serialOf(Buffer.from(files.get('merchant_serial') ?? []).toString()));
    return;
  }
  assert.equal(serialOf(keyId), serialOf(certificate.serialNumber));
  assert.equal(commonName(certificate), merchantId);
  assert.ok(certificate.validFromDate <= now && now < certificate.validToDate, 'the certificate is valid');
}

/** Every operation answers, or refuses by name. */
async function assertUsable(snapshot: Snapshot, field: string): Promise<void> {
  for (const { keyId, role } of snapshot.context.set.keys) {
    if (role !== 'platform' && role !== 'public-key') continue;
    await refusalOf(() => snapshot.encrypt(Buffer.from('text'), now, keyId));
    const signed = { kind: 'message', message: Buffer.from('text'), signature: 'AAAA', keyId } as const;
    const verified = await refusalOf(() => snapshot.verify(signed, now));
    assert.ok('error' in verified, 'what nobody signed does not verify');
  }
  await refusalOf(() => snapshot.decrypt({ ciphertext: field }, now));
}

export async function wholeMaterial(corpus: Corpus): Promise<Target> {
  const sets = goodSets(corpus);
  const load = async (files: Files, lastGood?: Snapshot) => {
    const store = new Store();
    store.declare(name, { provider: 'wechatpay', isRequired: true, requires: ['sign', 'verify', 'decrypt'] });
    if (lastGood) store.update(name, (entry) => ({ ...entry, snapshot: lastGood }));
    const provider = wechatpay({ merchantId });
    const dependencies = { store, clock, limiter: new Limiter(8), observe: () => undefined };
    const refusal = await attempt({ ...credential, provider }, toMaterial(files), dependencies);
    return { store, violation: refusal?.error };
  };
  const lastGood = (await load(corpus.material.files)).store.current(name);
  for (const files of sets) assert.equal((await load(files)).violation, undefined, 'what is mutated is good');

  return {
    async run(random) {
      const files = mutateFiles(sets, corpus, random);
      // Each input meets the same last good snapshot, so that it fails again when it is tried alone.
      const { store, violation } = await load(files, lastGood);
      const current = store.current(name);
      JSON.stringify(describeCredential(store.entry(name), now));
      if (violation !== undefined) {
        assert.ok(violation instanceof PaycertError);
        assert.equal(current, lastGood, 'rejected material leaves the last good snapshot current');
        return 'refused';
      }
      assert.equal(current.generation, lastGood.generation + 1);
      await assertFit(current, files);
      await assertUsable(current, corpus.field);
      await createMetrics({ store, clock, version: '0' }).render();
      return 'accepted';
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
