import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { compilePolicy, type Policy } from '../../src/policy/policy.ts'
import corpus from '../corpus/attack-corpus.json' with { type: 'json' }
import { host, route, target } from './fixtures.ts'

const policyOf = (...routes: RouteConfig[]) => compilePolicy(routes, [host])

/** What a raw request would meet: a route's name, a reason, or an error's code. */
function outcome(policy: Policy, raw: string, method = 'GET', onHost = host): string {
  try {
    const match = policy.match(target(raw, { method, host: onHost }))
    return match.kind === 'route' ? match.route.name : match.reason
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
}

test('the first route that fits wins, and nothing fits by default', () => {
  const policy = policyOf(
    route({ path: '/public/*', allow: 'public' }),
    route({ path: '/admin/*' }),
    route({ path: '/exact', allow: 'public' }),
  )
  const cases: Record<string, string> = {
    '/public': '/public/*',
    '/public/': '/public/*',
    '/public/a/b?x=1': '/public/*',
    '/admin': '/admin/*',
    '/admin/': '/admin/*',
    '/admin/users': '/admin/*',
    '/administrator': 'no_route',
    '/exact': '/exact',
    '/exact/': 'no_route',
    '/exact/x': 'no_route',
    '/': 'no_route',
  }
  for (const [raw, name] of Object.entries(cases)) assert.equal(outcome(policy, raw), name, raw)
  assert.equal(outcome(policyOf(), '/'), 'no_route')
})

test('what restricts ignores case, what opens does not', () => {
  const policy = policyOf(
    route({ path: '/Public/*', allow: 'public' }),
    route({ path: '/known/*', allow: 'optional' }),
    route({ path: '/Admin/*', name: 'admin' }),
    route({ path: '/Straße', name: 'street' }),
    route({ path: '/*', name: 'rest', allow: 'public' }),
  )
  for (const raw of ['/admin', '/ADMIN/x', '/aDmIn/', '/%41dmin', '/adm%69n', '/ADM%C4%B1N/x']) {
    assert.equal(outcome(policy, raw), 'admin', raw)
  }
  for (const raw of ['/public', '/PUBLIC/x', '/Known', '/known%20']) assert.equal(outcome(policy, raw), 'rest', raw)
  // Wide on purpose: upper case makes SS of ß, and an upstream may.
  for (const raw of ['/stra%C3%9Fe', '/Stra%c3%9fe', '/STRASSE']) assert.equal(outcome(policy, raw), 'street', raw)
})

test('a method that a route does not list never falls through to the next', () => {
  const policy = policyOf(
    route({ path: '/api/*', methods: ['GET'], name: 'read' }),
    route({ path: '/api/*', methods: ['POST', 'PUT'], name: 'write', allow: { groups: ['/writers'] } }),
    route({ path: '/*', name: 'rest' }),
    route({ path: '/api/*', methods: ['DELETE'], name: 'too far away' }),
  )
  assert.equal(outcome(policy, '/api/x', 'GET'), 'read')
  assert.equal(outcome(policy, '/api/x', 'HEAD'), 'read')
  assert.equal(outcome(policy, '/api/x', 'PUT'), 'write')
  assert.equal(outcome(policy, '/api/x', 'DELETE'), 'method_not_allowed')
  assert.equal(outcome(policy, '/api/x', 'OPTIONS'), 'method_not_allowed')
  assert.equal(outcome(policy, '/other', 'DELETE'), 'rest')
  const match = policy.match(target('/api/x', { method: 'PURGE' }))
  assert.deepEqual(match, { kind: 'unrouted', reason: 'method_not_allowed', methods: ['GET', 'HEAD', 'POST', 'PUT'] })
})

test('neighbours split a path by method only where host and path are the same', () => {
  const policy = policyOf(
    route({ path: '/a', methods: ['GET'], name: 'get' }),
    route({ path: '/a', host, methods: ['POST'], name: 'other host key' }),
    route({ path: '/b', methods: ['GET'], name: 'open', allow: 'public' }),
    route({ path: '/b', name: 'closed' }),
  )
  assert.equal(outcome(policy, '/a', 'POST'), 'method_not_allowed')
  assert.equal(outcome(policy, '/b', 'GET'), 'open')
  assert.equal(outcome(policy, '/B', 'GET'), 'closed')
  assert.equal(outcome(policy, '/b', 'POST'), 'closed')
})

test('a preflight can be matched by the method it announces', () => {
  const policy = policyOf(route({ path: '/a', methods: ['PUT'] }))
  const preflight = target('/a', { method: 'OPTIONS' })
  assert.equal(policy.match(preflight).kind, 'unrouted')
  assert.equal(policy.match(preflight, 'PUT').kind, 'route')
})

test('hosts: those of publicUrl, those that routes name, and no others', () => {
  const policy = compilePolicy(
    [route({ name: 'wiki', host: 'wiki.example.com', path: '/x' }), route({ name: 'rest' })],
    [host, 'second.example.com'],
  )
  assert.equal(outcome(policy, '/x', 'GET', 'wiki.example.com'), 'wiki')
  assert.equal(outcome(policy, '/y', 'GET', 'wiki.example.com'), 'no_route')
  assert.equal(outcome(policy, '/x'), 'rest')
  assert.equal(outcome(policy, '/x', 'GET', 'second.example.com'), 'rest')
  for (const unknown of [...corpus.forwardedHost, 'app.example.com:8080', 'constructor', '__proto__']) {
    assert.equal(outcome(policy, '/x', 'GET', unknown), 'host_unknown', unknown)
  }
})

test('an encoded slash passes only where the route keeps it and no other route could mean it', () => {
  const policy = policyOf(
    route({ path: '/admin/*', allow: { groups: ['/admins'] } }),
    route({ path: '/open/*', allow: 'public', encodedSlashes: 'keep' }),
    route({ path: '/plain/*' }),
    route({ path: '/*', name: 'keeps', encodedSlashes: 'keep' }),
  )
  assert.equal(outcome(policy, '/projects/group%2Fname'), 'keeps')
  assert.equal(outcome(policy, '/queues/%2F/name'), 'keeps')
  assert.equal(outcome(policy, '/projects/group%252Fname'), 'keeps')
  for (const raw of ['/plain/a%2Fb', '/admin/a%2Fb', '/open/a%2Fb', '/plain/a%252fb']) {
    assert.equal(outcome(policy, raw), 'ambiguous_path', raw)
  }
  for (const raw of [
    '/admin%2Fusers',
    '/admin%2fusers',
    '/ADMIN%2Fusers',
    '/admin%252Fusers',
    '/admin%25252Fusers',
    '/open%2Fx',
  ]) {
    assert.equal(outcome(policy, raw), 'ambiguous_path', raw)
  }
})

test('an encoded ? or # passes where nothing else begins at its end', () => {
  const policy = policyOf(
    route({ path: '/admin/*', allow: { groups: ['/admins'] } }),
    route({ path: '/open/*', allow: 'public' }),
    route({ path: '/exact', allow: { groups: ['/admins'] } }),
    route({ path: '/*' }),
  )
  for (const [raw, name] of [
    ['/wiki/C%23', '/*'],
    ['/wiki/Who%3F', '/*'],
    ['/admin/who%3f', '/admin/*'],
    ['/open/a%23b', '/open/*'],
  ]) {
    assert.equal(outcome(policy, raw!), name, raw)
  }
  for (const raw of [
    '/admin%3f',
    '/admin%23',
    '/ADMIN%3Fx',
    '/admin%2523',
    '/admin%253f/x',
    '/exact%3fx',
    '/open%23',
  ]) {
    assert.equal(outcome(policy, raw), 'ambiguous_path', raw)
  }
})

test('a path that is encoded twice passes where it says nothing else when it is decoded twice', () => {
  const policy = policyOf(
    route({ path: '/admin/*', allow: { groups: ['/admins'] } }),
    route({ path: '/team/secret', allow: { groups: ['/admins'] } }),
    route({ path: '/open/*', allow: 'public' }),
    route({ path: '/*', encodedSlashes: 'keep' }),
  )
  for (const [raw, name] of [
    ['/files/100%25', '/*'],
    ['/files/%2541', '/*'],
    ['/admin/%2541', '/admin/*'],
    ['/team%2Fsecrets', '/*'],
    ['/J%C3%B6rg%252Fx', '/*'],
  ]) {
    assert.equal(outcome(policy, raw!), name, raw)
  }
  for (const raw of [
    '/%2561dmin',
    '/%252561dmin/x',
    '/%2541DMIN/x',
    '/adm%2569n',
    '/%256fpen/x',
    '/team%2Fsecret%3Fx',
    '/team%2Fsecret%2523',
    '/te%2561m%2Fsecret',
  ]) {
    assert.equal(outcome(policy, raw), 'ambiguous_path', raw)
  }
})

test('a pattern with an encoded slash matches it undecoded', () => {
  const policy = policyOf(route({ path: '/a%2Fb', encodedSlashes: 'keep' }))
  assert.equal(outcome(policy, '/a/b'), 'no_route')
  assert.equal(outcome(policy, '/a%2Fb'), '/a%2Fb')
  assert.equal(outcome(policy, '/a%2fb'), '/a%2Fb')
})

/** Every reading that some upstream has been known to make of a path. */
function* readings(path: string): Generator<string> {
  let layer = path
  for (let round = 0; round <= 3; round++) {
    for (const cut of [layer, layer.split('\0')[0]!, layer.split('#')[0]!, layer.split('?')[0]!]) {
      const merged = cut
        .replaceAll('\\', '/')
        .replace(/;[^/]*/g, '')
        .replace(/\/+/g, '/')
        .toLowerCase()
      yield new URL(`http://x${merged.replace(/[?#%].*$/, (rest) => encodeURIComponent(rest))}`).pathname
    }
    layer = layer.replace(/%[\da-f]{2}/gi, (hex) => String.fromCharCode(Number.parseInt(hex.slice(1), 16)))
  }
}

test('path bypasses: nothing reaches a public route that any upstream could read as another path', () => {
  const policy = policyOf(
    route({ path: '/public/*', allow: 'public' }),
    route({ path: '/health', allow: 'public' }),
    route({ path: '/*', name: 'closed' }),
  )
  for (const raw of corpus.pathBypass) {
    const name = outcome(policy, raw)
    if (name === 'closed' || name === 'ambiguous_path') continue
    for (const reading of readings(target(raw).path)) {
      assert.match(reading, /^\/(public($|\/)|health$)/, `${JSON.stringify(raw)} -> ${name}, read as ${reading}`)
    }
  }
})

test('a route that requires nothing does not compile', () => {
  assert.throws(() => policyOf(route({ allow: {} })), RangeError)
  assert.throws(() => policyOf(route({ allow: { groups: ['a'], anyOf: [{}] } })), RangeError)
  assert.throws(() => policyOf(route({ allow: { not: {} } })), RangeError)
  assert.throws(() => policyOf(route({ allow: { networks: ['everywhere'] } })), RangeError)
})

test('a route says what the gate has to know', () => {
  const policy = policyOf(
    route({ allow: 'public' }),
    route({ path: '/o', allow: 'optional', accept: ['session', 'bearer'], provider: 'staff' }),
    route({
      path: '/r',
      accept: ['bearer'],
      allow: {
        acr: ['gold'],
        maxAge: 60,
        anyOf: [{ scopes: ['read'] }, { not: { networks: ['10.0.0.0/8'], scopes: ['write'] } }],
      },
    }),
  )
  const [open, optional, restricted] = policy.routes
  assert.deepEqual(
    policy.routes.map(({ index, access, acceptsSession, acceptsBearer }) => [
      index,
      access,
      acceptsSession,
      acceptsBearer,
    ]),
    [
      [0, 'public', true, false],
      [1, 'optional', true, true],
      [2, 'restricted', false, true],
    ],
  )
  assert.equal(optional!.provider, 'staff')
  assert.deepEqual([open!.dependsOnRequest, restricted!.dependsOnRequest], [false, true])
  assert.deepEqual([restricted!.scopes, restricted!.acr, restricted!.maxAge], [['read'], ['gold'], 60])
})
