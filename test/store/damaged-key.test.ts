// A private key that parses and cannot sign is rejected by name: it never replaces the last good snapshot.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import forge from 'node-forge';
import { loadStore, makeMaterial } from '../support/api-server.ts';

it('a key whose primes are damaged is self-test-failed, and the last good snapshot stays current', async () => {
  const { files, merchant } = await makeMaterial();
  const { store, load } = await loadStore({ shop: { files } });
  const lastGood = store.current('shop');
  const asn1 = forge.asn1.fromDer(merchant.privateKey.export({ type: 'pkcs1', format: 'der' }).toString('latin1'));
  const prime = (asn1.value as forge.asn1.Asn1[])[4]!;
  const bytes = Buffer.from(prime.value as string, 'latin1');
  prime.value = Buffer.concat([bytes.subarray(0, -1), Buffer.of(bytes.at(-1)! & 0xfe)]).toString('latin1');
  const key = Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');

  const violation = await load('shop', new Map(files).set('apiclient_key.pem', key));
  assert.equal(violation?.code, 'self-test-failed');
  assert.equal(store.current('shop'), lastGood);
});
