import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import { buildOperations, type OperationsParts, type Readiness } from '../../src/http/operations.ts'
import { secretFingerprints } from '../../src/http/secret-fingerprints.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const parts: OperationsParts = {
  status: () => ({
    version: '1.2.3',
    configHash: 'abcd',
    startedAt: 0,
    configuredAt: 1000,
    store: 'memory',
    providers: [{ name: 'default', issuer: 'https://idp.example.com', state: 'ready' }],
    secrets: { 'session.secret': '0a1b2c3d' },
  }),
  readiness: () => ({ ready: true, dependencies: {} }),
  metrics: createMetrics({ version: '1.2.3', processMetrics: false }),
}

test('the four addresses answer over a real socket', async () => {
  let readiness: Readiness = {
    ready: true,
    dependencies: { 'provider default': { ok: false, detail: 'ECONNREFUSED' } },
  }
  const app = buildOperations({ ...parts, readiness: () => readiness })
  try {
    const base = await app.listen({ host: '127.0.0.1', port: 0 })
    const health = await fetch(`${base}/healthz`)
    assert.deepEqual([health.status, await health.json()], [200, { status: 'ok' }])
    assert.deepEqual([health.headers.get('server'), health.headers.get('x-powered-by')], [null, null])
    assert.equal(health.headers.get('cache-control'), 'no-store')
    assert.equal((await fetch(`${base}/readyz`)).status, 200)
    readiness = { ...readiness, ready: false }
    const ready = await fetch(`${base}/readyz`)
    assert.deepEqual([ready.status, await ready.json()], [503, readiness])
    assert.equal((await fetch(`${base}/healthz`)).status, 200, 'not ready is not dead')
    const metrics = await fetch(`${base}/metrics`)
    assert.match(metrics.headers.get('content-type')!, /^text\/plain/)
    assert.match(await metrics.text(), /doorward_build_info\{version="1\.2\.3"\} 1/)
  } finally {
    await app.close()
  }
})

test('/status tells version, config, store, providers and fingerprints', async () => {
  const answer = await buildOperations(parts).inject('/status')
  assert.deepEqual(answer.json(), {
    version: '1.2.3',
    configHash: 'abcd',
    store: 'memory',
    providers: [{ name: 'default', issuer: 'https://idp.example.com', state: 'ready' }],
    secrets: { 'session.secret': '0a1b2c3d' },
    startedAt: '1970-01-01T00:00:00.000Z',
    configuredAt: '1970-01-01T00:00:01.000Z',
  })
})

test('anything else is JSON, and a fault tells nothing of itself', async () => {
  const app = buildOperations({
    ...parts,
    status: () => {
      throw new Error('secret detail')
    },
  })
  for (const [method, url, status] of [
    ['GET', '/', 404],
    ['GET', '/metrics/x', 404],
    ['POST', '/metrics', 404],
    ['GET', '/%zz', 400],
    ['GET', '/status', 500],
  ] as const) {
    const answer = await app.inject({ method, url })
    assert.equal(answer.statusCode, status, url)
    assert.match(answer.headers['content-type']!.toString(), /^application\/json/)
    assert.doesNotMatch(answer.body, /secret detail/)
  }
})

test('a key made up at the start has no fingerprint, and keys none of others', () => {
  const session = { secrets: [new Secret('a-key-text-0123456789-0123456789')], ephemeral: true }
  const redis = { password: new Secret('guessable'), topology: { kind: 'single' } }
  const config = { session, redis, providers: [], routes: [] } as unknown as Parameters<typeof secretFingerprints>[0]
  assert.deepEqual(secretFingerprints(config), {})
  const written = { ...config, session: { ...config.session, ephemeral: false } }
  assert.deepEqual(Object.keys(secretFingerprints(written)), ['session.secret', 'redis.password'])
})
