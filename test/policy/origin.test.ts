import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CorsConfig } from '../../src/config/config.ts'
import { corsHeaders, isPreflight, preflightAnswer } from '../../src/policy/cors.ts'
import { originProblem } from '../../src/policy/origin.ts'

const own = 'https://app.example.com'
const partner = 'https://partner.example'
const problem = (question: Partial<Parameters<typeof originProblem>[0]>) =>
  originProblem({
    method: 'POST',
    isUpgrade: false,
    origin: undefined,
    secFetchSite: undefined,
    allowedOrigins: [own],
    routeOrigins: [partner],
    ...question,
  })

test('safe methods need no origin, unless they upgrade', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    assert.equal(problem({ method }), undefined)
    assert.equal(problem({ method, origin: 'https://evil.example' }), undefined)
    assert.ok(problem({ method, isUpgrade: true }))
    assert.ok(problem({ method, isUpgrade: true, origin: 'https://evil.example' }))
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'get', 'QUERY'])
    assert.ok(problem({ method }), method)
})

test('our origins and those of the route may, and nobody else', () => {
  assert.equal(problem({ origin: own }), undefined)
  assert.equal(problem({ origin: partner }), undefined)
  assert.equal(problem({ origin: own, isUpgrade: true, method: 'GET' }), undefined)
  assert.equal(problem({ origin: own, secFetchSite: 'cross-site' }), undefined, 'Origin decides where it came')
  const foreign = [
    'null',
    '',
    'https://evil.example',
    `${own}.evil.example`,
    `${own}:444`,
    'http://app.example.com',
    `${own}/`,
    `${own}, https://evil.example`,
    'https://APP.example.com',
    '*',
    'https://app.example.com\u0000',
  ]
  for (const origin of foreign) {
    assert.ok(problem({ origin }), origin)
    assert.ok(problem({ origin, secFetchSite: 'same-origin' }), `${origin} is not excused by Sec-Fetch-Site`)
  }
  assert.ok(
    originProblem({
      method: 'POST',
      isUpgrade: false,
      origin: 'null',
      secFetchSite: undefined,
      allowedOrigins: ['null'],
    }),
  )
})

test('without Origin the browser has to say that the request is its own', () => {
  assert.equal(problem({ secFetchSite: 'same-origin' }), undefined)
  assert.equal(problem({ secFetchSite: 'none' }), undefined)
  for (const secFetchSite of ['same-site', 'cross-site', '', 'same-origin, none'])
    assert.ok(problem({ secFetchSite }), secFetchSite)
  assert.match(problem({})!, /needs an Origin or Sec-Fetch-Site header.*accept: \[bearer\]/)
})

test('the sentence names the origin only where it is printable', () => {
  assert.match(problem({ origin: 'https://evil.example' })!, /https:\/\/evil\.example/)
  assert.ok(!problem({ origin: 'https://e\u001b[31m' })!.includes('\u001b'))
})

const cors: CorsConfig = {
  origins: [partner],
  preflight: 'answer',
  methods: ['GET', 'PUT'],
  headers: ['content-type', 'x-trace'],
  exposeHeaders: [],
  credentials: true,
  maxAge: 600,
}

test('a preflight is OPTIONS with an origin and an announced method, and nothing less', () => {
  const question = { origin: partner, method: 'PUT', headers: undefined }
  assert.ok(isPreflight('OPTIONS', question))
  assert.ok(!isPreflight('GET', question))
  assert.ok(!isPreflight('OPTIONS', { ...question, origin: undefined }))
  assert.ok(!isPreflight('OPTIONS', { ...question, method: undefined }))
  assert.ok(!isPreflight('OPTIONS', { ...question, method: '' }))
})

test('a preflight from a permitted origin gets the lists of the route', () => {
  assert.deepEqual(preflightAnswer(cors, { origin: partner, method: 'PUT', headers: 'x-trace' }), {
    status: 204,
    headers: {
      'access-control-allow-origin': partner,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'content-type, x-trace',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    },
  })
})

test('other origins get no permission in any form', () => {
  for (const origin of ['https://evil.example', 'null', `${partner}.evil.example`, undefined]) {
    const answer = preflightAnswer(cors, { origin, method: 'PUT', headers: undefined })
    assert.equal(answer.status, 403)
    assert.deepEqual(Object.keys(answer.headers), ['vary'])
    assert.equal(corsHeaders(cors, origin), undefined)
  }
})

test('a star never goes with credentials', () => {
  const any = { ...cors, origins: ['*', 'null'] }
  assert.equal(corsHeaders(any, 'https://evil.example'), undefined)
  assert.equal(corsHeaders({ ...any, credentials: false }, 'null'), undefined)
  assert.deepEqual(corsHeaders({ ...any, credentials: false }, 'https://any.example'), {
    'access-control-allow-origin': 'https://any.example',
    vary: 'Origin',
  })
})

test('a star for headers repeats the names asked for, and only names', () => {
  const { headers } = preflightAnswer(
    { ...cors, headers: ['*'] },
    {
      origin: partner,
      method: 'PUT',
      headers: 'x-a, X-B,bad name, x-c\r\nset-cookie: a=b',
    },
  )
  assert.equal(headers['access-control-allow-headers'], 'x-a, X-B')
})
