// The types of the chart's values. Texts and defaults are those of values.yaml; what paycert.yaml has too comes from its schema.
import Type, { type TSchema } from 'typebox';
import { ConfigSchema } from '../../src/config/schema/config.ts';

const closed = { additionalProperties: false } as const;
/** Kubernetes' own words: what they may hold is checked by the API server. */
const Open = Type.Object({}, { additionalProperties: true });
const OpenList = Type.Array(Open);
const Text = Type.String();
const Flag = Type.Boolean();
const Labels = Type.Record(Text, Text);
const Count = (minimum: number) => Type.Integer({ minimum });
const OneOf = (...words: string[]) => Type.Union(words.map((word) => Type.Literal(word)));
const group = (members: Record<string, TSchema>, more: object = {}) =>
  Type.Object(Object.fromEntries(Object.entries(members).map(([name, member]) => [name, Type.Optional(member)])), {
    ...closed,
    ...more,
  });

const Name = Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' });
const DnsName = Type.String({ pattern: '^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$' });
const ShortName = Type.String({ pattern: '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$' });
const PromDuration = Type.String({ pattern: '^(([0-9]+(ms|s|m|h|d|w|y))+)?$' });
const GoDuration = Type.String({ pattern: '^(([0-9]+(s|m|h))+)?$' });
const Seconds = Type.String({ pattern: '^[1-9][0-9]{0,3}s$' });
const countOr = (pattern: string) => Type.Union([Count(0), Type.String({ pattern })]);
const PullSecrets = Type.Array(Type.Object({ name: Text }, closed));
const Port = Type.Integer({ minimum: 1, maximum: 65535 });
const RenderMode = OneOf('skipIfMissing', 'failIfMissing', 'alwaysRender');

const Rendered = { enabled: Flag, namespace: ShortName, labels: Labels, annotations: Labels };
const Scraped = {
  ...Rendered,
  renderMode: RenderMode,
  interval: PromDuration,
  scrapeTimeout: PromDuration,
  relabelings: OpenList,
  metricRelabelings: OpenList,
  honorLabels: Flag,
  jobLabel: Text,
  scheme: OneOf('http', 'https'),
  tlsConfig: Open,
  endpoint: Open,
  spec: Open,
};

const alert = (name: string) =>
  group({
    enabled: Flag,
    level: OneOf('L1', 'L2', 'L3'),
    severity: Text,
    for: Type.String({ pattern: '^([0-9]+(ms|s|m|h|d|w|y))+$' }),
    expr: Text,
    ...(/Expiring\d+d$/.test(name) && { days: Count(1) }),
  });

const probe = group({
  enabled: Flag,
  initialDelaySeconds: Count(0),
  periodSeconds: Count(1),
  timeoutSeconds: Count(1),
  failureThreshold: Count(1),
  successThreshold: Count(1),
});

const NamedSecrets = Type.Array(
  Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' }),
);

const rbac = group(
  {
    create: Flag,
    scope: OneOf('cluster', 'namespaces'),
    namespaces: Type.Array(Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' })),
    secretNames: NamedSecrets,
    aggregateToUserRoles: Flag,
    aggregateToEdit: Flag,
    namespaceSelector: Text,
  },
  {
    // What the scope would ignore is a mistake that nobody would see.
    allOf: [
      {
        if: { properties: { namespaces: { minItems: 1 } }, required: ['namespaces'] },
        then: { properties: { scope: { const: 'namespaces' } }, required: ['scope'] },
      },
      {
        if: { properties: { namespaceSelector: { minLength: 1 } }, required: ['namespaceSelector'] },
        then: { properties: { scope: { const: 'cluster' } } },
      },
    ],
  },
);

const podDisruptionBudget = group(
  {
    enabled: Flag,
    minAvailable: countOr('^([0-9]{1,3}%)?$'),
    maxUnavailable: countOr('^[0-9]{1,3}%$'),
    unhealthyPodEvictionPolicy: OneOf('AlwaysAllow', 'IfHealthyBudget'),
  },
  // A budget with neither lets no drain pass.
  { if: { properties: { minAvailable: { const: '' } } }, then: { required: ['maxUnavailable'] } },
);

const metricsTls = group(
  { enabled: Flag, secretName: DnsName },
  {
    if: { properties: { enabled: { const: true } }, required: ['enabled'] },
    then: { properties: { secretName: { minLength: 1 } }, required: ['secretName'] },
  },
);

const Subject = group(
  { kind: OneOf('ServiceAccount', 'User', 'Group'), name: Text, namespace: ShortName, apiGroup: Text },
  { required: ['kind', 'name'] },
);

/** Of parts beside the operator: what they mount, each at a path of its own. */
const MountedSecrets = Type.Array(
  group({ name: Name, path: Type.String({ pattern: '^/[A-Za-z0-9._/-]{1,255}$' }) }, { required: ['name', 'path'] }),
);

const notificationGateway = group(
  {
    enabled: Flag,
    replicas: Count(0),
    config: Open,
    secrets: MountedSecrets,
    readSecrets: Type.Array(Name),
    port: Port,
    env: OpenList,
    podLabels: Labels,
    podAnnotations: Labels,
    resources: Open,
    networkPolicy: group({ enabled: Flag, ingressFrom: OpenList, metricsFrom: OpenList, egress: OpenList }),
  },
  // Without them its pods would end at once.
  {
    if: { properties: { enabled: { const: true } }, required: ['enabled'] },
    then: { properties: { config: { required: ['notifications', 'credentials'] } }, required: ['config'] },
  },
);

const PaycertDuration = Type.String({ pattern: '^0{0,6}[1-9][0-9]{0,6}(ms|s|m|h|d)$' });
const Schedule = Type.String({ pattern: '^(@[a-z]+|[^ ]+( [^ ]+){4})$' });
const reconcile = group(
  {
    jobs: Type.Array(
      group(
        {
          credential: Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$' }),
          fallback: Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$' }),
          orders: Type.String({ pattern: '^https?://' }),
          ordersTokenFile: Type.String({ pattern: '^/' }),
          schedule: Schedule,
          for: PaycertDuration,
        },
        { required: ['credential', 'orders'] },
      ),
    ),
    ...{ config: Open, secrets: MountedSecrets, schedule: Schedule, for: PaycertDuration },
    ...{ activeDeadlineSeconds: Count(1), env: OpenList, resources: Open },
  },
  {
    if: { properties: { jobs: { minItems: 1 } }, required: ['jobs'] },
    then: { properties: { config: { required: ['credentials'] } }, required: ['config'] },
  },
);

const digest = group(
  {
    enabled: Flag,
    schedule: Schedule,
    timeZone: Text,
    receiver: OneOf('wecom', 'dingtalk', 'feishu', 'json'),
    secretName: DnsName,
    parts: Type.Array(OneOf('sign', 'template'), { uniqueItems: true }),
    proxy: Type.String({ pattern: '^(https?://[^/]+)?$' }),
    always: Flag,
    resources: Open,
  },
  {
    if: { properties: { enabled: { const: true } }, required: ['enabled'] },
    then: { properties: { secretName: { minLength: 1 } }, required: ['secretName'] },
  },
);

/** What values of their own say: twice the same field is no YAML. */
const fieldsOfPods = [
  ...['affinity', 'automountServiceAccountToken', 'containers', 'dnsConfig', 'dnsPolicy', 'enableServiceLinks'],
  ...['hostAliases', 'hostNetwork', 'hostUsers', 'imagePullSecrets', 'initContainers', 'nodeSelector'],
  ...['priorityClassName', 'runtimeClassName', 'schedulerName', 'securityContext', 'serviceAccountName'],
  ...['terminationGracePeriodSeconds', 'tolerations', 'topologySpreadConstraints', 'volumes'],
];

/** `alerts`: the keys of files/alerts.yaml. */
export const valuesSchema = (alerts: readonly string[]): TSchema =>
  group(
    {
      enabled: Flag,
      // A parent chart may share more than we know of.
      global: group(
        {
          imageRegistry: Text,
          imagePullSecrets: PullSecrets,
          commonLabels: Labels,
          priorityClassName: Text,
          nodeSelector: Labels,
          tolerations: OpenList,
          affinity: Open,
          podLabels: Labels,
          podAnnotations: Labels,
          runtimeClassName: DnsName,
          hostUsers: Type.Union([Flag, Type.Literal('')]),
          hostAliases: OpenList,
        },
        { additionalProperties: true },
      ),
      nameOverride: ShortName,
      fullnameOverride: ShortName,
      namespaceOverride: ShortName,
      replicas: Count(0),
      image: group({
        registry: Text,
        repository: Type.String({ minLength: 1 }),
        tag: Type.String({ pattern: '^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$' }),
        digest: Type.String({ pattern: '^(sha256:[0-9a-f]{64})?$' }),
        pullPolicy: OneOf('Always', 'IfNotPresent', 'Never'),
      }),
      imagePullSecrets: PullSecrets,
      logLevel: ConfigSchema.properties.log.properties.level,
      env: OpenList,
      envFrom: OpenList,
      extraArgs: Type.Array(Text),
      extraVolumes: OpenList,
      extraVolumeMounts: OpenList,
      extraContainers: OpenList,
      initContainers: OpenList,
      leaderElection: group({
        enabled: Flag,
        namespace: ShortName,
        leaseDuration: Seconds,
        renewDeadline: Seconds,
        retryPeriod: Seconds,
        leaseName: DnsName,
        renderLease: Flag,
      }),
      concurrency: Type.Integer({ minimum: 1, maximum: 64 }),
      apiLimits: group({
        qps: Type.Integer({ minimum: 0, maximum: 9999 }),
        burst: Type.Integer({ minimum: 1, maximum: 9999 }),
      }),
      metrics: group({ tls: metricsTls, auth: group({ enabled: Flag, subjects: Type.Array(Subject) }) }),
      crds: group({ enabled: Flag, keep: Flag, labels: Labels, annotations: Labels }),
      rbac,
      refreshPods: Flag,
      fleet: group({ enabled: Flag, port: Port, auditEnds: Flag }),
      notificationGateway,
      reconcile,
      digest,
      platformCertificates: group({ enabled: Flag, secrets: NamedSecrets, egressTo: OpenList, wayOut: Text }),
      audit: group({
        ...{ enabled: Flag, keySecretName: DnsName, stdout: Flag },
        volume: group({
          ...{ enabled: Flag, existingClaim: DnsName },
          sizeLimit: Type.String({ pattern: '^[1-9][0-9]*(Ki|Mi|Gi|Ti|k|M|G|T)?$' }),
          maxTotalBytes: Type.Integer({ minimum: 256 * 1024, maximum: 1024 ** 4 }),
          retention: Type.String({ pattern: '^[0-9]{1,7}(ms|s|m|h|d)$' }),
        }),
        otlp: group({
          endpoint: Type.String({ pattern: '^(https?://[^\\s/]+(/\\S*)?)?$' }),
          egressTo: OpenList,
        }),
      }),
      secretOptIn: Flag,
      admission: group({
        enabled: Flag,
        failurePolicy: OneOf('Ignore', 'Fail'),
        timeoutSeconds: Type.Integer({ minimum: 1, maximum: 10 }),
        port: Port,
        excludedNamespaces: Type.Array(DnsName),
        namespaceSelector: group({ matchLabels: Labels, matchExpressions: OpenList }),
        certificate: group({
          secretName: DnsName,
          issuerRef: group({ name: DnsName, kind: Text, group: Text }),
          duration: GoDuration,
          renewBefore: GoDuration,
        }),
        annotations: Labels,
        policy: group({ enabled: Flag }),
      }),
      injection: group({
        enabled: Flag,
        failurePolicy: OneOf('Ignore', 'Fail'),
        image: Type.String({ pattern: '^([a-z0-9][a-zA-Z0-9._:/@-]{0,511})?$' }),
        keyServices: group({
          services: Open,
          audience: Type.String({ pattern: '^[!-~]{0,256}$' }),
          configMap: Type.String({ pattern: '^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$' }),
        }),
        recreateMissing: Flag,
      }),
      operatorClass: Type.String({ pattern: '^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$' }),
      serviceAccount: group({ create: Flag, name: DnsName, labels: Labels, annotations: Labels, automount: Flag }),
      podLabels: Labels,
      podAnnotations: Labels,
      deploymentLabels: Labels,
      deploymentAnnotations: Labels,
      automountServiceAccountToken: Flag,
      minReadySeconds: Count(0),
      strategy: Open,
      revisionHistoryLimit: Count(0),
      terminationGracePeriodSeconds: Count(0),
      openshift: OneOf('auto', 'force', 'disabled'),
      podSecurityContext: Open,
      securityContext: Open,
      resources: Open,
      livenessProbe: probe,
      readinessProbe: probe,
      nodeSelector: Labels,
      tolerations: OpenList,
      affinity: Open,
      topologySpreadConstraints: OpenList,
      podSpec: Type.Object({}, { additionalProperties: true, propertyNames: { not: { enum: fieldsOfPods } } }),
      priorityClassName: Text,
      schedulerName: Text,
      runtimeClassName: DnsName,
      hostNetwork: Flag,
      hostUsers: Type.Union([Flag, Type.Literal('')]),
      hostAliases: OpenList,
      dnsPolicy: OneOf('', 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'),
      dnsConfig: Open,
      verticalPodAutoscaler: group({
        enabled: Flag,
        updateMode: OneOf('Off', 'Initial', 'Recreate', 'InPlaceOrRecreate', 'Auto'),
        minReplicas: Type.Integer({ minimum: 0 }),
        recommenders: Type.Array(DnsName, { maxItems: 1 }),
        controlledResources: Type.Array(OneOf('cpu', 'memory'), { minItems: 1 }),
        controlledValues: OneOf('RequestsOnly', 'RequestsAndLimits'),
        minAllowed: Open,
        maxAllowed: Open,
      }),
      podDisruptionBudget,
      service: group({
        port: Port,
        labels: Labels,
        annotations: Labels,
        ipFamilies: Type.Array(OneOf('IPv4', 'IPv6'), { maxItems: 2 }),
        ipFamilyPolicy: OneOf('', 'SingleStack', 'PreferDualStack', 'RequireDualStack'),
      }),
      networkPolicy: group({
        enabled: Flag,
        ingressFrom: OpenList,
        admissionFrom: OpenList,
        apiPorts: Type.Array(Port, { minItems: 1 }),
        apiTo: OpenList,
        extraEgress: OpenList,
      }),
      serviceMonitor: group({ ...Scraped, targetLabels: Type.Array(Text) }),
      podMonitor: group({
        ...Scraped,
        podTargetLabels: Type.Array(Text),
        selector: Open,
        namespaceSelector: Open,
        port: Type.String({ minLength: 1 }),
        container: Type.String({ minLength: 1 }),
      }),
      prometheusRule: group({
        ...Rendered,
        renderMode: RenderMode,
        alertLabels: Labels,
        keepFiringFor: PromDuration,
        alertNamePrefix: Type.String({ pattern: '^[A-Za-z]*$' }),
        alertAnnotations: Labels,
        runbookUrl: Text,
        additionalAggregationLabels: Type.Array(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' })),
        minimumOperations: Count(1),
        severities: group({ L1: Text, L2: Text, L3: Text }),
        alerts: group(Object.fromEntries(alerts.map((name) => [name, alert(name)]))),
        extraGroups: OpenList,
      }),
      dashboard: group(Rendered),
      test: group({ enabled: Flag }),
      extraObjects: Type.Array(Type.Union([Text, Open])),
    },
    {
      title: 'Values of the chart paycert',
      $schema: 'http://json-schema.org/draft-07/schema#',
      // Two that write, and know nothing of each other, write over each other.
      if: {
        properties: { leaderElection: { properties: { enabled: { const: false } }, required: ['enabled'] } },
        required: ['leaderElection'],
      },
      then: { properties: { replicas: { maximum: 1 } } },
    },
  );
