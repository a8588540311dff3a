/** Every value of the Helm chart: values.yaml, its schema and the table of its README are made from this. */
import {
  type ChartValue,
  choice,
  group,
  listOf,
  passed,
  port,
  stringMap,
  text,
  wholeNumber,
  yesOrNo,
} from './chart-value.ts'

const secret = (what: string, key: string, unset: string): ChartValue =>
  group(what, {
    existingSecret: text('Name of a Secret in the namespace of the release that holds it.'),
    key: text('Key in that Secret.', key),
    value: text(`The text itself, for trying things out. ${unset}`),
  })

const url = { pattern: '^(|https?://[^/]+.*[^/])$' }

const app = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Name of the objects made for it.' },
    host: { type: 'string', description: 'Host people reach it at.' },
    service: { type: 'string', description: 'Its Service, in the namespace of the release.' },
    port: { type: 'integer', description: 'Port of that Service.' },
    tlsSecret: { type: 'string', description: 'Secret with the certificate of the host (Ingress alone).' },
    annotations: { type: 'object', description: 'Further annotations of its Ingress or HTTPRoute.' },
    selector: { type: 'object', description: 'Istio: labels of its pods.' },
  },
  required: ['name', 'host', 'service', 'port'],
  additionalProperties: false,
}

const secretFile = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', description: 'Name of the file.' },
    existingSecret: { type: 'string', description: 'Secret that holds it.' },
    key: { type: 'string', description: 'Key in that Secret.' },
  },
  required: ['name', 'existingSecret', 'key'],
  additionalProperties: false,
}

/** Without `config`, whose shape is that of the file. */
export const chartValues: Readonly<Record<string, ChartValue>> = {
  mode: choice(
    '`forward-auth`: an ingress asks about every request. `proxy`: requests go through Doorward to `upstream` of the routes. `sidecar`: nothing but ConfigMap and Secret; your own chart includes the container.',
    ['forward-auth', 'proxy', 'sidecar'],
    'forward-auth',
  ),
  enabled: {
    description: 'For charts that depend on this one with `condition: doorward.enabled`; read by Helm alone.',
    fallback: undefined,
    schema: { type: 'boolean' },
  },
  global: {
    ...group('Values shared with other charts.', {
      domain: text(
        'Domain of the cluster’s applications: the issuer becomes `https://keycloak.<domain>/realms/<realm>`.',
      ),
    }),
    schema: { type: 'object', properties: { domain: { type: 'string' } } },
  },
  keycloak: group('Who people sign in with. Another provider: write `config.provider` or `config.providers` instead.', {
    issuer: text('Issuer, to the letter as in the tokens. Wins over `global.domain`.', '', url),
    realm: text('Realm, where the issuer is made from `global.domain` or for development.', 'main', {
      pattern: '^[^/]+$',
    }),
    service: text(
      'Keycloak inside the cluster, `http://keycloak.keycloak.svc:8080`. Calls and keys go there; `iss` stays the issuer. Unset: `http://keycloak.<namespace>.svc.cluster.local:8080`, or with `issuer` not used at all.',
      '',
      url,
    ),
    jwksUrl: text('Where the signing keys are, instead of discovery or `service`.', '', url),
    clientId: text('Client of this gateway.', 'doorward', { minLength: 1 }),
    signIn: yesOrNo('People can sign in. `false` for a gateway that takes bearer tokens alone.', true),
    audience: listOf(
      'Accept bearer tokens of the same issuer that are meant for one of these. Routes opt in by `accept`.',
      {
        type: 'string',
      },
    ),
  }),
  secrets: group('Secrets, mounted as files, so that they can change without a restart.', {
    delivery: choice(
      '`file`, or `env`: then a change restarts the pods, by a checksum of what Helm can see.',
      ['file', 'env'],
      'file',
    ),
    mountPath: text('Folder they are mounted at.', '/run/secrets/doorward', { pattern: '^/.*[^/]$' }),
    session: secret(
      'Protects sessions: 32 characters or more. Neither written: made once, and kept on upgrade and uninstall.',
      'session-secret',
      'Unset: one is made.',
    ),
    client: secret('Secret of the client at the provider.', 'client-secret', 'Nothing written: refused.'),
    redis: secret('Password of Redis.', 'redis-password', 'Unset: none.'),
    files: listOf('Further files beside them, for `{ file: <mountPath>/<name> }` in `config`.', secretFile),
  }),
  replicas: wholeNumber('Pods. More than one needs `config.session.store` cookie or redis.', 1, 0),
  image: group('The container image.', {
    repository: text('Registry and name.', 'doorward', { minLength: 1 }),
    tag: text('Tag. Unset: the version of the application in Chart.yaml.'),
    digest: text('`sha256:...`; wins over the tag.', '', { pattern: '^(|sha256:[0-9a-f]{64})$' }),
    pullPolicy: choice('When it is pulled.', ['IfNotPresent', 'Always', 'Never'], 'IfNotPresent'),
    pullSecrets: passed('Secrets to pull it with.', []),
  }),
  ports: group('Where it listens.', {
    http: port('People: proxy and own pages.', 4180),
    forwardAuth: port('The ingress asks here.', 4181),
    extAuthz: port('The same over gRPC.', 4182),
    operations: port('Health and metrics.', 9180),
  }),
  listenHost: choice('Address family: `[::]` for clusters with IPv6.', ['0.0.0.0', '[::]'], '0.0.0.0'),
  extAuthz: group('The gRPC listener, for Envoy and its kin.', { enabled: yesOrNo('Open it.', false) }),
  clusterDomain: text('Domain of Services.', 'cluster.local', { minLength: 1 }),
  gateway: group('Objects for what stands in front. They are made for each entry of `apps`.', {
    kind: {
      ...choice('Which one. Empty: none of these objects.', ['', 'nginx', 'traefik', 'envoy-gateway', 'istio'], ''),
    },
    istioProvider: text('Istio: name under `meshConfig.extensionProviders`.', 'doorward'),
  }),
  apps: listOf('Applications to put behind forward-auth. Each gets what `gateway.kind` needs.', app),
  ingress: group('Ingress for Doorward itself: its pages in mode `forward-auth`, everything in mode `proxy`.', {
    enabled: yesOrNo('Make it. With `apps` and `gateway.kind` nginx or traefik it is always made.', false),
    className: text('Ingress class.'),
    annotations: stringMap('Annotations.'),
    tls: passed('TLS of the hosts, as in an Ingress.', []),
  }),
  httpRoute: group('HTTPRoute for Doorward itself, as with `ingress`.', {
    enabled: yesOrNo('Make it. With `apps` and `gateway.kind` envoy-gateway or istio it is always made.', false),
    annotations: stringMap('Annotations.'),
    parentRefs: passed('The Gateways it belongs to.', []),
  }),
  service: group('The Service.', {
    type: choice(
      'Type. The forward-auth port must not leave the cluster.',
      ['ClusterIP', 'NodePort', 'LoadBalancer'],
      'ClusterIP',
    ),
    annotations: stringMap('Annotations.'),
  }),
  networkPolicy: group('Who reaches the pods.', {
    enabled: yesOrNo('Make it.', true),
    ingressFrom: passed(
      'Peers (of a NetworkPolicy) that may ask on the forward-auth and gRPC ports: the ingress. Empty: the addresses of `config.trustedProxies`; some network plugins match pods by selectors alone.',
      [],
    ),
    httpFrom: passed('Peers that reach the public port. Empty: everybody.', []),
    monitorFrom: passed('Peers that reach the operations port: Prometheus. The kubelet and `helm test` always do.', []),
  }),
  podDisruptionBudget: group('Made where there is more than one pod.', {
    enabled: yesOrNo('Make it.', true),
    maxUnavailable: wholeNumber('Pods that may be away at once.', 1, 1),
  }),
  autoscaling: group('HorizontalPodAutoscaler.', {
    enabled: yesOrNo('Make it. Needs `config.session.store` cookie or redis.', false),
    minReplicas: wholeNumber('At least.', 2, 1),
    maxReplicas: wholeNumber('At most.', 5, 1),
    targetCPUUtilizationPercentage: wholeNumber('Share of the CPU request to aim at.', 70, 1),
  }),
  serviceMonitor: group('ServiceMonitor of the Prometheus operator.', {
    enabled: yesOrNo('Make it.', false),
    interval: text('How often.', '30s'),
    labels: stringMap('Labels your Prometheus selects by.'),
  }),
  serviceAccount: group('Service account of the pods.', {
    create: yesOrNo('Make it.', true),
    name: text('Name. Unset: that of the release.'),
    annotations: stringMap('Annotations.'),
    automountToken: yesOrNo('Mount its token. Only for routes with `impersonate`.', false),
  }),
  podSecurityContext: passed('Of the pod.', {
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    fsGroup: 65532,
    seccompProfile: { type: 'RuntimeDefault' },
  }),
  securityContext: passed('Of the container.', {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  }),
  resources: passed('Of the container.', {
    requests: { cpu: '50m', memory: '128Mi' },
    limits: { memory: '384Mi' },
  }),
  terminationGracePeriodSeconds: wholeNumber(
    '0: ten seconds above `config.limits.drainDelay` and `drainTimeout` together. Less than these is refused.',
    0,
  ),
  updateStrategy: passed('Of the Deployment.', {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
  }),
  topologySpreadConstraints: passed('Unset: one pod per node where possible.', []),
  nodeSelector: stringMap('Labels of the nodes.'),
  tolerations: passed('Tolerations.', []),
  affinity: passed('Affinity.'),
  priorityClassName: text('Priority class.'),
  labels: stringMap('Labels of all objects.'),
  podLabels: stringMap('Labels of the pods.'),
  podAnnotations: stringMap('Annotations of the pods.'),
  extraEnv: passed('Further environment variables, for `{ env }` in `config`.', []),
  extraVolumes: passed('Further volumes: certificates, a logo.', []),
  extraVolumeMounts: passed('Where they are mounted.', []),
  extraContainers: passed('Further containers of the pod.', []),
  nameOverride: text('Instead of the name of the chart.'),
  fullnameOverride: text('Instead of release and chart in the names of objects.'),
  tests: group('`helm test`.', { doctor: yesOrNo('Also run `doorward doctor`, which asks the provider.', false) }),
}
