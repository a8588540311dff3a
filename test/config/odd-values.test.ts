import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../../src/config/problems.ts'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'

const secrets = ['hunter2-client-secret', 'hunter3-a6c0d1f2e3b495867786', 'hunter4-password', 'hunter5-key']

/** A file that uses every map of the schema. */
const file = () => ({
  version: 1,
  publicUrl: ['https://app.example.com'],
  basePath: '/_doorward',
  listen: '0.0.0.0:4180',
  forwardAuth: '0.0.0.0:4181',
  operations: 'off',
  workers: 1,
  providers: {
    corp: {
      kind: 'keycloak',
      issuer: 'https://keycloak.example.com/realms/main',
      clientId: 'app',
      clientSecret: secrets[0],
      endpoints: { token: 'https://keycloak.example.com/token' },
      parameters: { kc_idp_hint: 'corp' },
      scopes: ['openid'],
    },
    other: {
      issuer: 'https://id.example.com',
      clientId: 'app',
      clientAuth: { method: 'private_key_jwt', key: secrets[3] },
    },
  },
  session: { secret: [secrets[1]?.padEnd(40, '0123456789')], store: 'memory', idle: '1h' },
  login: { auto: true },
  bearer: [{ issuer: 'https://keycloak.example.com/realms/main', audience: ['api'], algorithms: ['RS256'] }],
  trustedProxies: ['10.42.0.0/24'],
  routes: [
    { path: '/public/*', allow: 'public', respond: { status: 200, headers: { 'X-A': 'b' }, body: 'ok' } },
    {
      path: '/app/*',
      methods: ['GET'],
      allow: {
        groups: ['/a'],
        claims: { team: { matches: '^a$' } },
        anyOf: [{ acr: ['gold'] }],
        not: { networks: ['10.0.0.0/8'] },
      },
      accept: ['session', 'bearer'],
      upstream: { url: 'http://127.0.0.1:3000', clientCertificate: { cert: 'a.pem', key: 'b.pem' } },
      headers: { 'X-User': '{sub}' },
      basicAuth: { username: 'app', password: secrets[2] },
      cors: { origins: ['https://spa.example.com'] },
    },
  ],
  brand: { name: 'Example' },
  log: { level: 'info' },
  limits: { headerBytes: '32KiB' },
})

const oddValues = [null, 7, true, '', '{sub', [], [null], { x: { y: [1] } }, '\u0000\u202e']

/** Every place of a value, with a copy of the whole in which `put` changes it. */
function* places(value: unknown, put: (next: unknown) => unknown): Generator<(next: unknown) => unknown> {
  yield put
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries(value)) {
    const replace = (next: unknown) =>
      Array.isArray(value) ? value.map((one, index) => (String(index) === key ? next : one)) : { ...value, [key]: next }
    yield* places(item, (next) => put(replace(next)))
  }
}

function outcome(content: unknown): string {
  try {
    const parsed = parseConfigText(JSON.stringify(content), '/nowhere/doorward.yaml', {})
    resolveConfig(parsed, { env: {}, networkInterfaces: {} })
    return ''
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    assert.ok(error.problems.length > 0)
    return error.message
  }
}

test('the file as it stands is right', () => {
  assert.equal(outcome(file()), '')
})

test('an odd value anywhere is a sentence, never a crash, and shows no secret', () => {
  let refused = 0
  for (const put of places(file(), (next) => next)) {
    for (const odd of oddValues) {
      const report = outcome(put(odd))
      if (report !== '') refused++
      assert.ok(!report.includes('hunter'), report)
      assert.ok(!/invalid input|expected .* received|undefined|\[object/i.test(report), report)
    }
  }
  assert.ok(refused > 500, String(refused))
})
