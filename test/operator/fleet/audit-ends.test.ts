// The end of an audit that was cut off or rewritten shows as soon as its Pod is asked again, also to another leader.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AuditEnd, AuditEnds, mostRemembered } from '../../../src/operator/fleet/audit-ends.ts';
import { format, parse } from '../../../src/operator/fleet/audit-memory.ts';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { anyAddress, hastyClock, makePod, startAdminPort } from '../../support/fleet.ts';
import { installDefinition, leastRules, makeAccount, rule, secretRules, startOperator, Tenant, until, wechatpaySpec } from '../../support/operator.ts'; // prettier-ignore
import { call, makeMaterial } from '../../support/sidecar.ts';

const now = new Date('2026-11-22T00:00:00Z');
const at = now.toISOString();
/** Of one process after another: each has continued what the one before it had written. */
const end = (seq: number, from: number, { life = 0, number = seq * 7, fromNumber = from * 7 } = {}): AuditEnd => ({
  ...{ seq, number },
  from: { seq: from, number: fromNumber, at: new Date(now.getTime() + life * 1000).toISOString() },
});

/** What shows when one Pod says these, one after the other. */
function said(...ends: readonly AuditEnd[]) {
  const audits = new AuditEnds();
  return ends.map((one) => {
    const { kind, known, found } = audits.take('pod', one, now) ?? {};
    return kind && [kind, known?.seq, found?.seq];
  });
}

describe('the end of an audit', () => {
  it('is as it should be while a process adds lines, and when another one continues them', () => {
    const lives = [end(10, 0), end(10, 0), end(40, 0), end(45, 40, { life: 1 }), end(90, 60, { life: 2 })];
    assert.deepEqual(
      said(...lives),
      lives.map(() => undefined),
    );
  });

  it('is cut where a process has continued below what was known, however much it has written since', () => {
    assert.deepEqual(said(end(40, 0), end(31, 30, { life: 1 }))[1], ['cut', 40, 30]);
    assert.deepEqual(said(end(40, 0), end(900, 39, { life: 1 }))[1], ['cut', 40, 39]);
    assert.deepEqual(
      said(end(40, 10), end(900, 10, { life: 1 }))[1],
      ['cut', 40, 10],
      'back to where the one before began',
    );
    assert.deepEqual(said(end(40, 0), end(12, 0))[1], ['cut', 40, 12]);
  });

  it('is rewritten where another line has the number of the last that was known', () => {
    assert.deepEqual(said(end(40, 0), end(41, 40, { life: 1, fromNumber: 1 }))[1], ['rewritten', 40, 40]);
    assert.deepEqual(said(end(40, 0), end(40, 0, { number: 1 }))[1], ['rewritten', 40, 40]);
  });

  it('is no cut where lines are kept in no file, since each process begins a chain', () => {
    const audits = new AuditEnds();
    for (const seq of [40, 2]) assert.equal(audits.take('pod', { seq, number: seq }, now), undefined);
  });

  it('is remembered as cut as long as the Pod is there, and told once', () => {
    const audits = new AuditEnds();
    for (const one of [end(40, 0), end(31, 30, { life: 1 }), end(35, 30, { life: 1 })]) audits.take('pod', one, now);
    assert.deepEqual(audits.cutOf('pod')?.known, { seq: 40, number: 280 });
    audits.unstored(() => false);
    assert.equal(audits.cutOf('pod'), undefined);
  });

  it('is remembered of a bounded number of Pods', () => {
    const audits = new AuditEnds();
    for (let pod = 0; pod < mostRemembered + 10; pod += 1) audits.take(String(pod), end(1, 0), now);
    assert.equal(audits.unstored(() => true).size, mostRemembered);
  });

  it('that another leader knew is compared with what was said to this one before it was read', () => {
    const [before, after] = [new AuditEnds(), new AuditEnds()];
    before.take('pod', end(40, 0), now);
    const stored = before.unstored(() => true);
    const texts = [...stored].map(([uid, remembered]) => [uid, parse(format(remembered!))!] as const);
    after.take('pod', end(31, 30, { life: 1 }), now);
    assert.deepEqual([...after.restore(new Map(texts), now).keys()], ['pod']);
  });

  it('is read as it was written, with what is missing, and nothing else is', () => {
    const remembered = { end: end(41, 40), cut: { kind: 'cut', at, known: { seq: 50, number: 2 ** 52 - 1 }, found: { seq: 40, number: 1 } } } as const; // prettier-ignore
    for (const one of [remembered, { end: end(1, 0) }]) assert.deepEqual(parse(format(one)), one);
    for (const text of ['', '1 2 3', `${format(remembered)} `, format(remembered).replace('cut', 'fine')])
      assert.equal(parse(text), undefined);
  });

  it('of what is stored says what has changed since, and nothing twice', () => {
    const audits = new AuditEnds();
    audits.take('a', end(1, 0), now);
    const first = audits.unstored(() => true);
    audits.take('a', end(2, 0), now);
    audits.stored(first);
    const second = audits.unstored(() => true);
    assert.deepEqual(
      [...second.values()].map((one) => one?.end.seq),
      [2],
    );
    audits.stored(second);
    assert.equal(audits.unstored(() => true).size, 0);
    assert.deepEqual([...audits.unstored(() => false)], [['a', undefined]]);
  });
});

describe('an audit that is cut', { timeout: 900_000, skip: noControlPlane }, () => {
  const controlPlane = useControlPlane(installDefinition);

  it('shows to the next leader: an Event of the Pod, the status and a metric', async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { plane, namespace } = tenant;
    const { files } = await makeMaterial();
    await tenant.write('keys', files);
    const maps = `/api/v1/namespaces/${namespace}/configmaps`;
    await plane.admin('POST', maps, { metadata: { name: 'audits' } });
    const rules = [
      ...[...leastRules, ...secretRules, rule('', ['pods'], 'list', 'watch')],
      { ...rule('', ['configmaps'], 'get', 'patch'), resourceNames: ['audits'] },
    ];
    const environment = await makeAccount(tenant, rules);
    let audit = end(40, 0);
    const port = await startAdminPort(t, { shop: files }, { auditSighting: () => audit });
    await makePod(tenant, 'a', { ...port, credentials: 'shop' });
    const run = (name: string) =>
      startOperator(t, plane, {
        ...{ namespaces: [namespace], clock: hastyClock(100), asksFleet: true, mayBeAsked: anyAddress, environment },
        auditEnds: { namespace, name },
      });
    const stored = async (): Promise<readonly unknown[]> =>
      Object.values(((await plane.admin('GET', `${maps}/audits`))['data'] ?? {}) as Readonly<Record<string, unknown>>);
    const first = await run('audits');
    await tenant.create('shop', wechatpaySpec('keys'));
    await until(async () => (await stored()).includes(`40 280 0 0 ${at}`), 'it is remembered');
    assert.equal((await call(first.address, '/metrics')).content.includes('paycert_fleet_audits_cut{'), false);
    await first.stop();

    audit = end(32, 30, { life: 1 });
    const { address, recorder } = await run('audits');
    await until(async () => (await tenant.events()).includes('Warning AuditCut Pod/a'), 'an Event says so');
    assert.deepEqual(
      recorder.of('audit-cut').map(({ kind, known, found }) => [kind, known, found]),
      [['cut', 40, 30]],
    );
    await until(async () => (await tenant.status('shop'))?.fleet?.auditsCut === 1, 'the status says so');
    assert.match((await call(address, '/metrics')).content, new RegExp(`paycert_fleet_audits_cut\\{credential_namespace="${namespace}"\\} 1`)); // prettier-ignore
    await until(
      async () => (await stored()).some((text) => String(text).includes(' cut ')),
      'the next leader knows it',
    );
    assert.deepEqual(recorder.of('audit-ends-unstored'), []);
  });
});
