/** Values about everything but the issuer, and the objects that have to come of them. */
import assert from 'node:assert/strict'
import { base, type Case } from './cases.ts'
import { gatewayCases } from './gateway-cases.ts'

function threeOf<T>(list: readonly T[]): [T, T, T] {
  assert.equal(list.length, 3)
  return [list[0]!, list[1]!, list[2]!]
}

const modes: readonly Case[] = [
  {
    name: 'forward-auth: the least',
    values: base(),
    expect: ({ config, one, names }) => {
      assert.deepEqual(
        [config.listen, config.forwardAuth, config.operations, config.extAuthz],
        ['0.0.0.0:4180', '0.0.0.0:4181', '0.0.0.0:9180', undefined],
      )
      assert.deepEqual(config.session, { store: 'cookie', secret: { file: '/run/secrets/doorward/session-secret' } })
      const { spec } = one('Deployment').spec.template
      assert.equal(spec.automountServiceAccountToken, false)
      assert.equal(spec.terminationGracePeriodSeconds, 45)
      assert.equal(spec.containers[0]!.readinessProbe.httpGet.port, 'operations')
      assert.deepEqual(
        one('Service', 'internal').spec.ports.map(({ port }) => port),
        [4181, 9180],
      )
      assert.deepEqual(
        one('Service', 'doorward').spec.ports.map(({ port }) => port),
        [4180],
      )
      const made = one('Secret', '-session')
      assert.equal(made.metadata.annotations!['helm.sh/resource-policy'], 'keep')
      assert.match(Buffer.from(made.data!['session-secret']!, 'base64').toString(), /^[A-Za-z0-9]{48}$/)
      assert.deepEqual(names('Ingress'), [])
      assert.deepEqual(names('PodDisruptionBudget'), [])
    },
  },
  {
    name: 'forward-auth: only the ingress may ask, only the monitor and the test may look',
    values: base({ networkPolicy: { monitorFrom: [{ namespaceSelector: { matchLabels: { team: 'monitoring' } } }] } }),
    expect: ({ one }) => {
      const [http, asking, operations] = threeOf(one('NetworkPolicy').spec.ingress)
      assert.deepEqual([http.ports, http.from], [[{ port: 4180 }], undefined])
      assert.deepEqual([asking.ports, asking.from], [[{ port: 4181 }], [{ ipBlock: { cidr: '10.42.0.7/32' } }]])
      assert.deepEqual(operations.ports, [{ port: 9180 }])
      assert.equal(operations.from[0]!.podSelector.matchLabels['app.kubernetes.io/component'], 'test')
      assert.deepEqual(operations.from[1], { namespaceSelector: { matchLabels: { team: 'monitoring' } } })
    },
  },
  {
    name: 'forward-auth: the ingress by its labels',
    values: base({
      config: { trustedProxies: ['10.42.0.0/24', 'fd00::1'] },
      extAuthz: { enabled: true },
      networkPolicy: { ingressFrom: [{ podSelector: { matchLabels: { app: 'ingress' } } }] },
    }),
    expect: ({ one }) => {
      const [, asking] = threeOf(one('NetworkPolicy').spec.ingress)
      assert.deepEqual(asking.ports, [{ port: 4181 }, { port: 4182 }])
      assert.deepEqual(asking.from, [{ podSelector: { matchLabels: { app: 'ingress' } } }])
    },
  },
  {
    name: 'proxy: everything through it, and nobody asks',
    values: base({
      mode: 'proxy',
      config: { publicUrl: 'https://app.example.com', routes: [{ allow: 'signedIn', upstream: 'http://app:80' }] },
      ingress: { enabled: true, className: 'traefik', tls: [{ hosts: ['app.example.com'], secretName: 'app-tls' }] },
    }),
    expect: ({ config, one }) => {
      assert.equal(config.forwardAuth, undefined)
      assert.deepEqual(
        one('Service', 'internal').spec.ports.map(({ name }) => name),
        ['operations'],
      )
      const { spec } = one('Ingress')
      assert.equal(spec.rules[0]!.http.paths[0]!.path, '/')
      assert.equal(spec.ingressClassName, 'traefik')
      assert.equal(one('NetworkPolicy').spec.ingress.length, 2)
    },
  },
  {
    name: 'proxy: asks in people’s names, with the token of its account',
    values: base({
      mode: 'proxy',
      serviceAccount: { automountToken: true },
      config: {
        routes: [{ allow: 'signedIn', upstream: 'https://kubernetes.default.svc', impersonate: { user: '{sub}' } }],
      },
    }),
    expect: ({ one }) => assert.equal(one('Deployment').spec.template.spec.automountServiceAccountToken, true),
  },
  {
    name: 'sidecar: the file and the secret alone',
    values: base({
      mode: 'sidecar',
      config: { trustedProxies: undefined, routes: [{ allow: 'signedIn', upstream: 'http://127.0.0.1:3000' }] },
    }),
    expect: ({ manifests, config }) => {
      assert.deepEqual(manifests.map(({ kind }) => kind).sort(), ['ConfigMap', 'Secret'])
      assert.equal(config.forwardAuth, undefined)
    },
  },
]

const secretsAndSize: readonly Case[] = [
  {
    name: 'secrets of one’s own, from three Secrets',
    values: base({
      secrets: {
        session: { existingSecret: 'a', key: 'one' },
        client: { existingSecret: 'b', key: 'two' },
        redis: { existingSecret: 'c', key: 'three' },
      },
      config: { session: { store: 'redis' }, redis: { url: 'redis://redis:6379' } },
    }),
    expect: ({ config, names, one }) => {
      assert.deepEqual(names('Secret'), [])
      assert.deepEqual(config.session.secret, { file: '/run/secrets/doorward/one' })
      assert.deepEqual(config.provider.clientSecret, { file: '/run/secrets/doorward/two' })
      assert.deepEqual(config.redis.password, { file: '/run/secrets/doorward/three' })
      const { containers, volumes } = one('Deployment').spec.template.spec
      assert.equal(containers[0]!.env, undefined)
      assert.equal(volumes[1]!.projected.defaultMode, 0o440)
    },
  },
  {
    name: 'a session secret that is being rotated',
    values: base({
      secrets: {
        files: [
          { name: 'new', existingSecret: 'rotation', key: 'new' },
          { name: 'old', existingSecret: 'rotation', key: 'old' },
        ],
      },
      config: {
        session: { store: 'cookie', secret: ['new', 'old'].map((name) => ({ file: `/run/secrets/doorward/${name}` })) },
      },
    }),
    expect: ({ config, names }) => {
      assert.ok(Array.isArray(config.session.secret) && config.session.secret.length === 2)
      assert.deepEqual(names('Secret'), [], 'none is made that nobody uses')
    },
  },
  {
    name: 'secrets by environment: a checksum restarts the pods',
    values: base({
      secrets: { delivery: 'env', session: { value: '0123456789abcdefghijklmnopqrstuvwxyz' } },
    }),
    expect: ({ config, one }) => {
      assert.deepEqual(config.session.secret, { env: 'DOORWARD_SESSION_SECRET' })
      const { metadata, spec } = one('Deployment').spec.template
      assert.match(metadata.annotations['checksum/secrets'] ?? '', /^[0-9a-f]{64}$/)
      assert.deepEqual(spec.containers[0]!.env, [
        {
          name: 'DOORWARD_SESSION_SECRET',
          valueFrom: { secretKeyRef: { name: 'gate-doorward', key: 'session-secret' } },
        },
        {
          name: 'DOORWARD_CLIENT_SECRET',
          valueFrom: { secretKeyRef: { name: 'keycloak-client', key: 'client-secret' } },
        },
      ])
      assert.ok(!spec.volumes.some(({ name }) => name === 'doorward-secrets'))
    },
  },
  {
    name: 'many replicas, scaled and watched',
    values: base({
      autoscaling: { enabled: true, maxReplicas: 9 },
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
      config: { limits: { drainDelay: '1500ms', drainTimeout: '1m30s' } },
      podSecurityContext: { runAsUser: 1_000_680_000 },
      tests: { doctor: true },
    }),
    expect: ({ one, names }) => {
      const { spec } = one('Deployment')
      assert.equal(spec.replicas, undefined)
      assert.equal(spec.template.spec.terminationGracePeriodSeconds, 2 + 90 + 10)
      assert.equal(spec.template.spec.securityContext.runAsUser, 1_000_680_000)
      assert.equal(one('HorizontalPodAutoscaler').spec.maxReplicas, 9)
      assert.deepEqual(names('PodDisruptionBudget'), ['gate-doorward'])
      assert.equal(spec.template.spec.topologySpreadConstraints[0]!.topologyKey, 'kubernetes.io/hostname')
      const monitor = one('ServiceMonitor')
      assert.equal(monitor.metadata.labels!.release, 'prometheus')
      const labels = one('Service', 'internal').metadata.labels!
      for (const [key, value] of Object.entries(monitor.spec.selector.matchLabels)) assert.equal(labels[key], value)
      assert.deepEqual(
        one('Pod').spec.containers.map(({ args }) => args[0]),
        ['healthcheck', 'doctor'],
      )
    },
  },
  {
    name: 'what is empty or null stays what was meant',
    values: {
      ...base(),
      replicas: 0,
      topologySpreadConstraints: null,
      updateStrategy: {},
      resources: { limits: null },
    },
    expect: ({ one }) => {
      const { spec } = one('Deployment')
      assert.equal(spec.replicas, 0)
      assert.equal(spec.template.spec.topologySpreadConstraints.length, 1)
    },
  },
  {
    name: 'what people add: volumes, variables, names, IPv6',
    values: base({
      fullnameOverride: 'front-doorward',
      listenHost: '[::]',
      replicas: 3,
      image: { repository: 'registry.example.com/doorward', digest: `sha256:${'a'.repeat(64)}` },
      extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
      extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/ssl/corp' }],
      extraEnv: [{ name: 'REALM', valueFrom: { configMapKeyRef: { name: 'realm', key: 'name' } } }],
      labels: { team: 'platform' },
      config: { provider: { ca: '/etc/ssl/corp/ca.pem' } },
    }),
    expect: ({ config, one }) => {
      assert.equal(one('Service', 'front-doorward').spec.ports[0]!.appProtocol, 'http')
      assert.equal(config.operations, '[::]:9180')
      assert.equal(config.provider.ca, '/etc/ssl/corp/ca.pem')
      const [container] = one('Deployment').spec.template.spec.containers
      assert.equal(container!.image, `registry.example.com/doorward@sha256:${'a'.repeat(64)}`)
      assert.equal(container!.volumeMounts.at(-1)?.mountPath, '/etc/ssl/corp')
      assert.equal(one('Service', 'internal').metadata.labels!.team, 'platform')
    },
  },
]

export const objectCases: readonly Case[] = [...modes, ...gatewayCases, ...secretsAndSize]
