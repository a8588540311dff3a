/** What stands in front, and the objects the chart makes for it: the same words as docs/gateways. */
import assert from 'node:assert/strict'
import { base, type Case } from './cases.ts'

const hosts = { publicUrl: ['https://grafana.example.com', 'https://wiki.example.com'] }
const apps = [
  {
    name: 'grafana',
    host: 'grafana.example.com',
    service: 'grafana',
    port: 3000,
    tlsSecret: 'grafana-tls',
    selector: { app: 'grafana' },
  },
  { name: 'wiki', host: 'wiki.example.com', service: 'wiki', port: 80, selector: { app: 'wiki' } },
]
const parentRefs = [{ name: 'public', namespace: 'edge' }]
const asked = 'gate-doorward-internal.auth.svc.cluster.local'
const headerNames = ['X-Auth-Email', 'X-Auth-Groups', 'X-Auth-Subject', 'X-Auth-User']

export const gatewayCases: readonly Case[] = [
  {
    name: 'ingress-nginx: asked inside the cluster, pages without asking',
    values: base({ gateway: { kind: 'nginx' }, apps, config: hosts, ingress: { className: 'nginx' } }),
    expect: ({ one, names }) => {
      assert.deepEqual(names('Ingress'), ['gate-doorward', 'gate-doorward-grafana', 'gate-doorward-wiki'])
      const pages = one('Ingress', 'gate-doorward')
      assert.equal(pages.metadata.annotations, undefined)
      assert.deepEqual(
        pages.spec.rules.map(({ host, http }) => host + http.paths[0]!.path),
        ['grafana.example.com/_doorward/', 'wiki.example.com/_doorward/'],
      )
      assert.deepEqual(one('Ingress', 'wiki').metadata.annotations, {
        'nginx.ingress.kubernetes.io/auth-url': `http://${asked}:4181/auth/nginx`,
        'nginx.ingress.kubernetes.io/auth-signin': 'https://wiki.example.com/_doorward/login',
        'nginx.ingress.kubernetes.io/auth-response-headers': headerNames.join(','),
      })
      assert.deepEqual(one('Ingress', 'grafana').spec.tls, [
        { hosts: ['grafana.example.com'], secretName: 'grafana-tls' },
      ])
    },
  },
  {
    name: 'ingress-nginx: one login host for all, headers of routes and presets',
    values: base({
      gateway: { kind: 'nginx' },
      apps,
      config: {
        publicUrl: 'https://auth.example.com',
        basePath: '/auth',
        identityHeaders: 'authelia',
        session: { store: 'memory', cookieDomain: 'example.com' },
        assertion: {},
        routes: [
          { host: 'grafana.example.com', allow: 'signedIn', headers: { 'X-WEBAUTH-USER': '{sub}' } },
          { host: 'wiki.example.com', allow: 'signedIn', identityHeaders: 'none' },
        ],
      },
    }),
    expect: ({ one }) => {
      const annotations = one('Ingress', 'wiki').metadata.annotations!
      assert.equal(annotations['nginx.ingress.kubernetes.io/auth-signin'], 'https://auth.example.com/auth/login')
      assert.equal(
        annotations['nginx.ingress.kubernetes.io/auth-response-headers'],
        'Remote-Email,Remote-Groups,Remote-Name,Remote-User,X-Auth-Assertion,X-WEBAUTH-USER',
      )
      assert.equal(one('Ingress', 'gate-doorward').spec.rules[0]!.http.paths[0]!.path, '/auth/')
      assert.deepEqual(one('Deployment').spec.strategy, { type: 'Recreate' })
    },
  },
  {
    name: 'Traefik: a middleware, and the routers that use it',
    values: base({ gateway: { kind: 'traefik' }, apps, config: hosts }),
    expect: ({ one }) => {
      assert.deepEqual(one('Middleware').spec.forwardAuth, {
        address: `http://${asked}:4181/auth/traefik`,
        trustForwardHeader: false,
        maxResponseBodySize: 65536,
        authResponseHeaders: headerNames,
      })
      const { annotations } = one('Ingress', 'wiki').metadata
      assert.deepEqual(annotations, {
        'traefik.ingress.kubernetes.io/router.middlewares': 'auth-gate-doorward@kubernetescrd',
      })
      assert.equal(one('Ingress', 'gate-doorward').metadata.annotations, undefined)
    },
  },
  {
    name: 'Envoy Gateway over HTTP',
    values: base({ gateway: { kind: 'envoy-gateway' }, apps, config: hosts, httpRoute: { parentRefs } }),
    expect: ({ one, names }) => {
      assert.deepEqual(names('HTTPRoute'), ['gate-doorward', 'gate-doorward-grafana', 'gate-doorward-wiki'])
      assert.deepEqual(names('SecurityPolicy'), ['gate-doorward-grafana', 'gate-doorward-wiki'])
      const { targetRefs, extAuth } = one('SecurityPolicy', 'wiki').spec
      assert.equal(targetRefs[0]!.name, 'gate-doorward-wiki')
      assert.deepEqual([extAuth.failOpen, extAuth.timeout, extAuth.http.path], [false, '15s', '/auth/envoy'])
      assert.deepEqual(extAuth.http.backendRefs, [{ name: 'gate-doorward-internal', port: 4181 }])
      assert.deepEqual(
        extAuth.http.headersToBackend,
        headerNames.map((name) => name.toLowerCase()),
      )
      assert.ok(extAuth.headersToExtAuth.includes('cookie'))
      assert.deepEqual(one('HTTPRoute', 'gate-doorward').spec.rules[0]!.matches, [
        { path: { type: 'PathPrefix', value: '/_doorward' } },
      ])
      // Envoy ends answers after 15 s otherwise: downloads, events.
      assert.deepEqual(one('HTTPRoute', 'wiki').spec.rules[0]!.timeouts, { request: '0s' })
    },
  },
  {
    name: 'Envoy Gateway over gRPC',
    values: base({
      gateway: { kind: 'envoy-gateway' },
      apps,
      config: hosts,
      httpRoute: { parentRefs },
      extAuthz: { enabled: true },
    }),
    expect: ({ one }) => {
      const { extAuth } = one('SecurityPolicy', 'wiki').spec
      assert.deepEqual(extAuth, {
        failOpen: false,
        timeout: '15s',
        grpc: { backendRefs: [{ name: 'gate-doorward-internal', port: 4182 }] },
      })
      const port = one('Service', 'internal').spec.ports.find(({ name }) => name === 'grpc-ext-authz')
      assert.equal(port?.appProtocol, 'kubernetes.io/h2c')
    },
  },
  {
    name: 'Istio: a policy on the pods of the application, no exception by path',
    values: base({
      gateway: { kind: 'istio' },
      apps,
      config: hosts,
      httpRoute: { parentRefs },
      extAuthz: { enabled: true },
    }),
    expect: ({ one }) =>
      assert.deepEqual(one('AuthorizationPolicy', 'wiki').spec, {
        selector: { matchLabels: { app: 'wiki' } },
        action: 'CUSTOM',
        provider: { name: 'doorward' },
        rules: [{}],
      }),
  },
]
