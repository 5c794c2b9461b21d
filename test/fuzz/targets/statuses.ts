// Statuses of whatever a Secret holds, with every value as large as it can be: each fits the definition that the API server has.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { PaycertError } from '../../../src/errors.ts';
import type { SecretEvaluation } from '../../../src/operator/status/evaluate.ts';
import { refusedStatus } from '../../../src/operator/status/refused.ts';
import type { Key, Status } from '../../../src/operator/resource.ts';
import { type Corpus, merchantId, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateArmouredDer } from '../mutate-der.ts';
import { mutateText } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { mutate, type Target } from '../target.ts';
import { type Data, evaluated, type ProviderConfig, statusAfter } from './evaluated.ts';
import { assertFits, type Schema } from './structural-schema.ts';

interface Definition {
  readonly spec: {
    readonly versions: readonly {
      readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly status: Schema } } };
    }[];
  };
}

const file = new URL('../../../charts/paycert/files/crds/paymentcredentials.paycert.dev.yaml', import.meta.url);
const declared = (parse(readFileSync(file, 'utf8')) as Definition).spec.versions[0]!.schema.openAPIV3Schema.properties.status; // prettier-ignore

/** The API server takes no request above 3 MiB, and etcd none above 1.5. */
const mostBytes = 1024 * 1024;

const provider: ProviderConfig = { wechatpay: { merchantId } };
const mutations = [...byteMutations, ...byteMutations.map(() => mutateText), mutateArmouredDer, mutateArmouredDer];

/** Many of everything, under long names. */
function fill({ material: { files }, texts }: Corpus, random: Random): Data {
  const filled = new Map<string, Uint8Array>(files);
  const certificate = [...files].find(([name]) => name.startsWith('platform/') || name.startsWith('wechatpay_'))?.[1];
  for (let count = random.size(70); count > 1; count--) {
    const name = `${String(count)}${'n'.repeat(random.size(200))}`;
    filled.set(`platform/${name}.pem`, random.isOneIn(3) ? random.pick(texts) : (certificate ?? random.pick(texts)));
    if (random.isOneIn(2)) filled.set(`retired/${name}.pem`, random.pick(texts));
  }
  filled.set('pub_key_id', Buffer.from(`PUB_KEY_ID_${'9'.repeat(random.size(120))}`));
  for (let count = random.below(3); count > 0; count--) {
    const [name, bytes] = random.pick([...filled]);
    filled.set(name, mutate(Buffer.from(bytes), mutations, random, texts));
  }
  return filled;
}

const units = ['x', '\0', '界', '𝄞', '\ud834', '\udd1e', '"', '\u2028'];
const longText = (random: Random): string => random.pick(units).repeat(random.size(9000)) + String(random.below(1000));
const anyTime = (random: Random): Date => new Date((random.below(2) * 2 - 1) * random.below(8.64e15));

function longKey(key: Key, random: Random): Key {
  const [id, fingerprint, role, algorithm] = Array.from({ length: 4 }, () => longText(random));
  const [notBefore, notAfter] = [anyTime(random).toISOString(), anyTime(random).toISOString()];
  return random.isOneIn(2) ? { ...key, id: id! } : { ...key, role: role!, algorithm: algorithm!, id: id!, fingerprint: fingerprint!, notBefore, notAfter }; // prettier-ignore
}

/** The same evaluation with what a certificate, a list of roots or a message may grow to. */
function enlarge(secret: SecretEvaluation, random: Random): SecretEvaluation {
  const sample: Key = { role: 'merchant', id: '1', algorithm: 'RSA-2048', fingerprint: 'f' };
  const keys = secret.keys.length > 0 ? secret.keys : [sample];
  const often = random.size(600);
  const message = longText(random);
  const violation = () => new PaycertError('key-mismatch', message, { field: longText(random) });
  return {
    ...secret,
    secretResourceVersion: longText(random),
    snapshotId: random.isOneIn(2) ? secret.snapshotId : longText(random),
    keys: Array.from({ length: often }, (_, index) => longKey(keys[index % keys.length] ?? sample, random)),
    abilities: { can: secret.abilities.can ?? [], ignored: Array.from({ length: often }, () => longText(random)) },
    signer: { keyId: longText(random), notBefore: anyTime(random), notAfter: anyTime(random) },
    violations: random.pick([secret.violations, [], Array.from({ length: random.size(40) }, violation)]),
    usableUntil: anyTime(random),
    createdAt: random.isOneIn(3) ? violation() : anyTime(random),
    deferredUntil: random.isOneIn(3) ? anyTime(random) : undefined,
  };
}

export async function statuses(corpus: Corpus): Promise<Target> {
  const assertWritable = (status: Status) => {
    const kept = JSON.parse(JSON.stringify(status)) as Status;
    assertFits(declared, kept, 'status');
    assert.ok(Buffer.byteLength(JSON.stringify(kept)) <= mostBytes, 'it is not larger than a request may be');
  };

  return {
    async run(random) {
      let previous: Status | undefined;
      let isValid = false;
      // What an earlier status keeps grows with it.
      for (let round = random.size(3); round > 0; round--) {
        const result = await evaluated(provider, fill(corpus, random), previous?.accepted);
        const secret = random.isOneIn(3) ? result : enlarge(result, random);
        const { status } = statusAfter(provider, secret, previous);
        assertWritable(status);
        assertWritable(refusedStatus(previous, status, now));
        previous = status;
        isValid = secret.violations.length === 0;
      }
      return isValid ? 'accepted' : 'refused';
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
