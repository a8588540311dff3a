/** Values that would start and be wrong, or not start at all: refused before anything is installed, with a sentence. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import { skipUnless } from '../support/real-part.ts'
import { base } from './cases.ts'
import { refusal, render, type Values } from './helm.ts'

const session = (value: string) => base({ secrets: { session: { value } } })
const config = (more: Values) => base({ config: more })
const impersonating = { allow: 'signedIn', upstream: 'https://kubernetes.default.svc', impersonate: { user: '{sub}' } }
const app = { name: 'wiki', host: 'app.example.com', service: 'wiki', port: 80 }

/** By a sentence of the chart. */
const sentences: readonly (readonly [string, Values, RegExp])[] = [
  ['no public address', config({ publicUrl: undefined }), /config\.publicUrl is missing: write where browsers/],
  ['no routes', config({ routes: undefined }), /config\.routes is missing/],
  ['nobody may ask', config({ trustedProxies: undefined }), /config\.trustedProxies is missing: .*10\.42\.0\.7/],
  ['nobody may ask, an empty list', config({ trustedProxies: [] }), /config\.trustedProxies is missing/],
  [
    'nobody may ask over gRPC',
    { ...config({ trustedProxies: [] }), mode: 'sidecar', extAuthz: { enabled: true } },
    /nobody else may ask on extAuthz/,
  ],
  ['a proxy to nowhere', base({ mode: 'proxy' }), /config\.routes\[0\] has no upstream/],
  [
    'people’s names without a token to ask in them',
    base({ mode: 'proxy', config: { routes: [impersonating] } }),
    /config\.routes\[0\]\.impersonate needs .* serviceAccount\.automountToken: true/,
  ],
  ['an empty secret', session('   '), /secrets\.session\.value is empty; make one with: openssl/],
  ['a short secret', session('short'), /secrets\.session has fewer than 32 characters/],
  ['a repetitive secret', session('abcabcabcabcabcabcabcabcabcabcabcabc'), /secrets\.session repeats itself/],
  ['a placeholder', session('$SESSION_SECRET'), /secrets\.session is a placeholder nobody replaced/],
  [
    'a placeholder with a key',
    base({ secrets: { client: { value: '$kc:secret' } } }),
    /secrets\.client is a placeholder/,
  ],
  [
    'a placeholder in braces',
    base({ secrets: { client: { value: `$\{CLIENT}` } } }),
    /secrets\.client is a placeholder/,
  ],
  ['no client secret', base({ secrets: { client: {} } }), /secrets\.client is empty: .*clientAuth: none/],
  [
    'two client secrets',
    base({ secrets: { client: { existingSecret: 'a', value: 'b' } } }),
    /secrets\.client has existingSecret and value/,
  ],
  [
    'two secrets in one file',
    base({ secrets: { client: { existingSecret: 'a', key: 'x' }, session: { existingSecret: 'b', key: 'x' } } }),
    /two secrets would be the same file: x, x/,
  ],
  [
    'a secret in the ConfigMap',
    config({ provider: { clientSecret: 'text' } }),
    /config\.provider\.clientSecret is written as text, and would stand in a ConfigMap/,
  ],
  [
    'a secret in the ConfigMap, in a list',
    config({ session: { secret: [{ file: '/x' }, 'text'] } }),
    /config\.session\.secret is written as text/,
  ],
  [
    'a private key in the ConfigMap',
    config({ tls: { certificate: '/tls/tls.crt', key: '-----BEGIN' } }),
    /config\.tls\.key is written as text/,
  ],
  [
    'a password in the ConfigMap',
    config({ routes: [{ allow: 'signedIn', basicAuth: { username: 'a', password: 'b' } }] }),
    /config\.routes\[0\]\.basicAuth\.password is written as text/,
  ],
  ['a placeholder in the file', config({ provider: { label: '$label' } }), /"\$label" was not replaced/],
  ['a placeholder as issuer', base({ keycloak: { clientId: '$client' } }), /"\$client" was not replaced/],
  [
    'memory and replicas',
    { ...config({ session: { store: 'memory' } }), replicas: 2 },
    /store is memory, which one pod/,
  ],
  [
    'memory and scaling',
    { ...config({ session: { store: 'memory' } }), autoscaling: { enabled: true } },
    /store is memory, which one pod/,
  ],
  ['redis without a server', config({ session: { store: 'redis' } }), /config\.redis is missing/],
  ['redis that names no server', config({ redis: { prefix: 'x:' } }), /config\.redis names no server/],
  [
    'tokens that a cookie does not keep',
    config({ routes: [{ allow: 'signedIn', headers: { Authorization: 'Bearer {idToken}' } }] }),
    /config\.routes\[0\]\.headers passes a token on/,
  ],
  [
    'a provider of one’s own beside Keycloak',
    config({ provider: { kind: 'oidc', issuer: 'https://accounts.example.org', clientId: 'x' } }),
    /config\.provider names a provider of its own beside keycloak\.issuer/,
  ],
  [
    'keys by plain http',
    base({ keycloak: { jwksUrl: 'http://keys.example.com/jwks' } }),
    /keycloak\.jwksUrl is plain http: write https, or name the same server in keycloak\.service/,
  ],
  [
    'an end before the drain',
    { ...base(), terminationGracePeriodSeconds: 30 },
    /terminationGracePeriodSeconds is 30, and .* together are 35/,
  ],
  ['apps without a gateway', { ...base(), apps: [app] }, /apps needs gateway\.kind/],
  [
    'apps in mode proxy',
    { ...base(), mode: 'proxy', apps: [app], ...config({ routes: [{ allow: 'public', respond: {} }] }) },
    /apps is for mode forward-auth/,
  ],
  ['Istio without gRPC', { ...base(), gateway: { kind: 'istio' } }, /write extAuthz\.enabled: true/],
  [
    'Istio without labels',
    { ...base(), gateway: { kind: 'istio' }, extAuthz: { enabled: true }, apps: [app] },
    /apps wiki needs selector/,
  ],
  [
    'routes without a Gateway',
    { ...base(), gateway: { kind: 'envoy-gateway' }, apps: [app] },
    /httpRoute\.parentRefs is empty/,
  ],
]

/** By values.schema.json: Helm names the place. */
const shapes: readonly (readonly [string, Values, RegExp])[] = [
  ['an unknown key', { ...base(), replicaCount: 2 }, /'replicaCount' not allowed/],
  ['an unknown key inside', base({ keycloak: { url: 'https://x' } }), /\/keycloak'.*'url' not allowed/],
  ['an unknown key of the file', config({ sesion: {} }), /\/config'.*'sesion' not allowed/],
  ['an unknown key of a route', config({ routes: [{ alow: 'signedIn' }] }), /\/config\/routes\/0'/],
  ['a listener that the chart writes', config({ listen: '0.0.0.0:80' }), /\/config'.*'listen' not allowed/],
  ['verification turned off', base({ keycloak: { verify: false } }), /\/keycloak'.*'verify' not allowed/],
  [
    'verification turned off for bearer',
    config({ bearer: [{ issuer: 'x', audience: 'y', verify: false }] }),
    /'verify' not allowed/,
  ],
  ['a store there is none of', config({ session: { store: 'file' } }), /\/config\/session\/store'/],
  ['a mode there is none of', { ...base(), mode: 'gateway' }, /\/mode'/],
  ['replicas as text', { ...base(), replicas: '2' }, /\/replicas'.*want integer/],
  ['a port that needs root', { ...base(), ports: { http: 80 } }, /\/ports\/http'/],
  ['an issuer that is no address', base({ keycloak: { issuer: 'sso.example.com' } }), /\/keycloak\/issuer'/],
]

describe('refused', { skip: skipUnless('helm') }, () => {
  for (const [name, values, reason] of [...sentences, ...shapes]) {
    test(name, () => assert.match(refusal(values).replaceAll(/\s+/g, ' '), reason))
  }
})

describe('values of an older release (--reuse-values)', { skip: skipUnless('helm') }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-older-'))
  const older = (values: string) => {
    cpSync('charts/doorward', folder, { recursive: true })
    writeFileSync(path.join(folder, 'values.yaml'), values)
    return folder
  }
  const kinds = (chart: string, values: Values) => render(values, { chart }).manifests.map(({ kind }) => kind)
  const everything = {
    ...config({ session: { store: 'cookie' } }),
    serviceMonitor: { enabled: true },
    replicas: 2,
  }

  test('a release that knew no value at all', () => {
    assert.deepEqual(kinds(older('{}\n'), everything), kinds('charts/doorward', everything))
  })

  test('a release whose maps were empty', () => {
    const empty = ['secrets', 'image', 'ports', 'networkPolicy', 'podDisruptionBudget', 'serviceAccount', 'tests']
    const chart = older(empty.map((key) => `${key}: {}\n`).join(''))
    const { config, one } = render(everything, { chart })
    assert.equal(config.forwardAuth, '0.0.0.0:4181')
    assert.equal(one('Deployment').spec.template.spec.securityContext.runAsNonRoot, true)
    rmSync(folder, { recursive: true })
  })
})
