// values.schema.json refuses what would be ignored or would fail later, and says which value it is.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { helms, lacks, template } from './helm.ts';

const refused: Readonly<Record<string, readonly [object, RegExp]>> = {
  'a value that does not exist': [{ replicaCount: 2 }, /replicaCount/],
  'a misspelled value in a group': [{ image: { tags: 'x' } }, /tags/],
  'an alert that does not exist': [
    { prometheusRule: { alerts: { certificateExpiring3d: { enabled: true } } } },
    /certificateExpiring3d/,
  ],
  'a misspelled field of an alert': [{ prometheusRule: { alerts: { signingFailing: { enable: false } } } }, /enable/],
  'a level that does not exist': [{ prometheusRule: { alerts: { signingFailing: { level: 'L4' } } } }, /level/],
  'an alert without a duration': [{ prometheusRule: { alerts: { signingFailing: { for: '' } } } }, /for/],
  'text where a number belongs': [{ replicas: 'two' }, /replicas/],
  'fewer replicas than none': [{ replicas: -1 }, /replicas/],
  'two replicas without an election': [{ leaderElection: { enabled: false } }, /replicas/],
  'a lease without a unit': [{ leaderElection: { leaseDuration: '15' } }, /leaseDuration/],
  'more at once than there are workers': [{ concurrency: 65 }, /concurrency/],
  'TLS without a Secret': [{ metrics: { tls: { enabled: true } } }, /secretName/],
  'a reader of metrics that is no account': [{ metrics: { auth: { subjects: [{ name: 'x' }] } } }, /kind/],
  'a burst of no call': [{ apiLimits: { burst: 0 } }, /burst/],
  'an argument that is no text': [{ extraArgs: [1] }, /extraArgs/],
  'a family of addresses that does not exist': [{ service: { ipFamilies: ['IPv5'] } }, /ipFamilies/],
  'a policy for names that does not exist': [{ dnsPolicy: 'Cluster' }, /dnsPolicy/],
  'a scheme that Prometheus does not have': [{ podMonitor: { scheme: 'ftp' } }, /scheme/],
  'days of an alert that is not about expiry': [
    { prometheusRule: { alerts: { signingFailing: { days: 3 } } } },
    /signingFailing/,
  ],
  'a prefix that no alert may have': [{ prometheusRule: { alertNamePrefix: 'a b' } }, /alertNamePrefix/],
  'a log level that the operator does not know': [{ logLevel: 'trace' }, /logLevel/],
  'a digest that pins nothing': [{ image: { digest: 'sha256:abc' } }, /digest/],
  'a tag with a digest in it': [{ image: { tag: 'x@sha256:abc' } }, /tag/],
  'a scope that does not exist': [{ rbac: { scope: 'namespace' } }, /scope/],
  'namespaces that scope cluster would ignore': [{ rbac: { namespaces: ['pay'] } }, /scope/],
  'a selector that scope namespaces would ignore': [
    { rbac: { scope: 'namespaces', namespaceSelector: 'team=pay' } },
    /scope/,
  ],
  'a class that no label may have': [{ operatorClass: 'team b' }, /operatorClass/],
  'a Secret without its namespace': [{ rbac: { secretNames: ['wechat-main'] } }, /secretNames/],
  'a Secret in a namespace out of scope': [
    { rbac: { scope: 'namespaces', namespaces: ['pay'], secretNames: ['shop/wechat-main'] } },
    /rbac\.secretNames: shop\/wechat-main is in no namespace of rbac\.namespaces/,
  ],
  'an issuer under a name that no issuer has': [
    { admission: { certificate: { issuerRef: { Name: 'ca' } } } },
    /issuerRef/,
  ],
  'a duration that cert-manager does not know': [{ admission: { certificate: { duration: '90d' } } }, /duration/],
  'a selector of reviewed namespaces that is no selector': [
    { admission: { namespaceSelector: { team: 'pay' } } },
    /namespaceSelector/,
  ],
  'a render mode that does not exist': [{ serviceMonitor: { renderMode: 'always' } }, /renderMode/],
  'a scrape interval without a unit': [{ podMonitor: { interval: '30' } }, /interval/],
  'a budget for drains that says nothing': [{ podDisruptionBudget: { maxUnavailable: '' } }, /maxUnavailable/],
  'a budget for drains that is taken away': [{ podDisruptionBudget: { maxUnavailable: null } }, /maxUnavailable/],
  'a port of sidecars without a name': [{ podMonitor: { port: '' } }, /port/],
  'a port that is none': [{ service: { port: 0 } }, /port/],
  'a network policy that reaches no API server': [{ networkPolicy: { apiPorts: [] } }, /apiPorts/],
  'a label that Prometheus cannot group by': [
    { prometheusRule: { additionalAggregationLabels: ['a-b'] } },
    /additionalAggregationLabels/,
  ],
  'a minimum of no traffic': [{ prometheusRule: { minimumOperations: 0 } }, /minimumOperations/],
  'a label that is no text': [{ podLabels: { a: 1 } }, /podLabels/],
  'a name that is longer than a label': [{ fullnameOverride: 'a'.repeat(64) }, /fullnameOverride/],
  'an alert kind that the cluster must have and has not': [
    { prometheusRule: { renderMode: 'failIfMissing' } },
    /no kind PrometheusRule/,
  ],
};

for (const helm of helms) {
  describe(`the schema of the values, with ${helm}`, { skip: lacks(helm), timeout: 900_000 }, () => {
    for (const [what, [values, message]] of Object.entries(refused)) {
      it(`refuses ${what}, and names it`, async () => {
        const { code, stderr } = await template({ helm, values });
        assert.notEqual(code, 0);
        assert.match(stderr, message);
      });
    }

    it('takes what a parent chart shares with all of its charts', async () => {
      const { code, stderr } = await template({
        helm,
        values: { enabled: true, global: { anything: { of: 'the parent' } } },
      });
      assert.equal(code, 0, stderr);
    });
  });
}
