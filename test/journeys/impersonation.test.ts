/** A Kubernetes API that knows no provider: the gateway's service account speaks for people. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { type HeaderLine, send } from '../attacks/wire.ts'
import { gatewayWires } from '../contracts/gateway-wires.ts'
import type { ConfigKeys } from '../support/gateway.ts'
import { selfSubjectReview } from '../support/kubernetes-api.ts'
import { exec, landing, namespaces, openKubernetesWorld, openSpdy } from '../support/kubernetes-world.ts'
import { openWebSocket } from '../support/websocket.ts'

const account = 'system:serviceaccount:headlamp:doorward'

/** A projected volume: the token is a link into `..data`, which is a link that is swapped. */
function projectedToken(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-token-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'token')
  symlinkSync('..data/token', file)
  let version = 0
  return {
    file,
    write(text: string) {
      const name = `..v${++version}`
      const real = path.join(folder, name)
      mkdirSync(real)
      writeFileSync(path.join(real, 'token'), text)
      symlinkSync(name, path.join(folder, '..next'))
      renameSync(path.join(folder, '..next'), path.join(folder, '..data'))
    },
    remove: () => rmSync(path.join(folder, '..data')),
  }
}

async function openWorld(t: TestContext, impersonate: ConfigKeys = {}, config: ConfigKeys = {}) {
  const token = projectedToken(t)
  token.write('first-token\n')
  const world = await openKubernetesWorld(t, {
    withoutOidc: true,
    route: { impersonate: { user: 'oidc:{email}', groupsPrefix: 'oidc:', tokenFile: token.file, ...impersonate } },
    config,
  })
  world.api.serviceAccounts.set('first-token', account)
  world.api.impersonators.add(account)
  return { ...world, token }
}

test('user, groups, uid and extra reach the API, by HTTP, websocket and SPDY', async (t) => {
  const extra = { 'example.com/teams': '{claim:teams}', 'realm%': 'r-{claim:realm}' }
  const { gateway, provider, api, signIn } = await openWorld(t, { uid: '{sub}', extra })
  provider.person = { ...provider.person, groups: ['/staff', '/a, b', '/Jörg'], teams: ['x', 'y, z'], realm: 'main' }
  const alice = await signIn()
  const { body } = await alice.ask(selfSubjectReview, { method: 'POST' })
  assert.deepEqual(JSON.parse(body).status.userInfo, {
    username: 'oidc:alice@example.org',
    uid: 'alice-id',
    groups: ['oidc:/staff', 'oidc:/a, b', 'oidc:/Jörg', 'system:authenticated'],
    extra: { 'example.com/teams': ['x', 'y, z'], 'realm%': ['r-main'] },
  })
  assert.equal((await alice.ask(namespaces)).status, 200)
  const opened = await openWebSocket(t, gateway.origin + exec, alice.headers, ['v5.channel.k8s.io'])
  assert.ok(opened.kind === 'open')
  opened.socket.send(Buffer.from('\0hi'))
  await once(opened.socket, 'message')
  assert.equal((await openSpdy(t, gateway.origin + exec, alice.headers)).status, 101)
  for (const { user, url } of api.received) assert.equal(user?.username, 'oidc:alice@example.org', url)
})

test('a client that names somebody, in whatever spelling and on whatever route, is not heard', async (t) => {
  const { gateway, provider, api, signIn } = await openWorld(t)
  // On the public route the API hears an account that may impersonate, from the client itself.
  const routes = [landing, { allow: 'public', forwardAuthorization: true, upstream: api.url }]
  gateway.write({ routes })
  const alice = await signIn()
  const spellings = (name: string) => [
    name,
    name.toLowerCase(),
    name.replaceAll('-', '_'),
    name.replaceAll('-', '.'),
    `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
  ]
  const names = ['Impersonate-User', 'Impersonate-Group', 'Impersonate-Uid', 'Impersonate-Extra-Scopes']
  const forged = Object.fromEntries(names.flatMap(spellings).map((name) => [name, 'system:masters']))
  const clean = () => {
    const { rawHeaders, user } = api.last()
    assert.ok(!rawHeaders.includes('system:masters'), JSON.stringify(rawHeaders))
    return user
  }
  const askAll = async (expected: string, headers: Readonly<Record<string, string>>) => {
    await alice.ask(namespaces, { headers: { ...forged, ...headers } })
    assert.equal(clean()?.username, expected)
    await openWebSocket(t, gateway.origin + exec, { ...alice.headers, ...forged, ...headers }, ['v5.channel.k8s.io'])
    assert.equal(clean()?.username, expected)
    await openSpdy(t, gateway.origin + exec, { ...alice.headers, ...forged, ...headers })
    assert.equal(clean()?.username, expected)
  }
  await askAll('oidc:alice@example.org', {})
  provider.person = { ...provider.person, groups: [] }
  assert.ok(await gateway.server.reload())
  await askAll(account, { authorization: 'Bearer first-token' })
})

test('an ingress is told no where a client names somebody', async (t) => {
  const config = { forwardAuth: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] }
  const { gateway, signIn } = await openWorld(t, {}, config)
  const { cookie } = (await signIn()).headers
  const port = Number(gateway.server.addresses.forwardAuth?.port)
  const host = new URL(gateway.origin).host
  const statusWith = async (wire: (typeof gatewayWires)[number], headers: readonly HeaderLine[]) => {
    const { target, method = 'GET', headers: lines } = wire.ask({ uri: namespaces, host, cookies: [cookie], headers })
    const scheme = lines.map(([name, value]): HeaderLine => [name, value.replace(/^https(?=$|:)/, 'http')])
    const text = [`${method} ${target} HTTP/1.1`, ...scheme.map(([name, value]) => `${name}: ${value}`), '', ''].join(
      '\r\n',
    )
    return (await send(port, text, { answers: 1 })).answers[0]?.status
  }
  for (const wire of gatewayWires) {
    assert.equal(await statusWith(wire, []), 200, wire.name)
    for (const name of ['Impersonate-User', 'impersonate_group', 'IMPERSONATE.EXTRA.A', 'HTTP_IMPERSONATE_UID']) {
      const line: HeaderLine = [name, 'system:admin']
      // Envoy shows us the headers of its list alone: there the manual has it remove these itself.
      const isShown = wire.ask({ uri: '/', headers: [line] }).headers.some(([own]) => own === name)
      assert.equal(await statusWith(wire, [line]), isShown ? 403 : 200, `${wire.name} ${name}`)
    }
    assert.equal(await statusWith(wire, [['X-Impersonated', '1']]), 200, wire.name)
  }
})

test('a preflight that the file passes on is nobody, and not the service account', async (t) => {
  const token = projectedToken(t)
  token.write('first-token')
  const cors = { origins: ['https://spa.example.com'], preflight: 'pass' }
  const { gateway, api } = await openKubernetesWorld(t, {
    withoutOidc: true,
    route: { impersonate: { user: '{email}', tokenFile: token.file }, cors },
  })
  api.serviceAccounts.set('first-token', account)
  api.impersonators.add(account)
  const lines = [`Host: ${new URL(gateway.origin).host}`, 'Origin: https://spa.example.com', 'Connection: close']
  const head = [`OPTIONS ${namespaces} HTTP/1.1`, ...lines, 'Access-Control-Request-Method: GET', '', ''].join('\r\n')
  assert.equal((await send(gateway.port, head)).answers[0]?.status, 403)
  assert.deepEqual(
    api.received.map(({ user }) => user?.username),
    ['system:anonymous'],
  )
})

test('a group or user of the cluster itself is refused unless the file names it', async (t) => {
  const { provider, api, signIn } = await openWorld(t, { groupsPrefix: '', allowSystem: ['system:viewers'] })
  const asked = async (person: object) => {
    provider.person = { ...provider.person, ...person }
    const before = api.received.length
    const { status } = await (await signIn()).ask(selfSubjectReview, { method: 'POST' })
    return { status, groups: api.received.slice(before).at(-1)?.user?.groups }
  }
  for (const group of ['system:masters', 'System:Masters']) {
    assert.deepEqual(await asked({ groups: ['/staff', group] }), { status: 403, groups: undefined }, group)
  }
  const kept = ['/staff', 'system:authenticated']
  assert.deepEqual((await asked({ groups: ['/staff', ' system:masters', 'system:masters\u00a0'] })).groups, kept)
  assert.deepEqual((await asked({ groups: ['system:viewers'] })).groups, ['system:viewers', 'system:authenticated'])
})

test('who has no user name, or one of the cluster itself, does not reach the API at all', async (t) => {
  const { gateway, provider, api, signIn } = await openWorld(t, { user: '{claim:login}' })
  for (const login of [undefined, '', 'system:admin', 'system:serviceaccount:kube-system:root', ' ada', []]) {
    provider.person = { ...provider.person, login }
    const alice = await signIn()
    const before = api.received.length
    assert.equal((await alice.ask(selfSubjectReview, { method: 'POST' })).status, 403, String(login))
    assert.equal((await openSpdy(t, gateway.origin + exec, alice.headers)).status, 403)
    assert.equal(api.received.length, before, String(login))
  }
  assert.ok(gateway.lines().some(({ msg, why }) => msg.includes('impersonated') && /system:admin/.test(String(why))))
})

test('the token is read again when it changes, and without one nothing leaves', async (t) => {
  const { gateway, api, signIn, token } = await openWorld(t)
  const alice = await signIn()
  assert.equal((await alice.ask(namespaces)).status, 200)
  token.write('other-token')
  api.serviceAccounts.delete('first-token')
  api.serviceAccounts.set('other-token', account)
  assert.equal((await alice.ask(namespaces)).status, 200, 'bound tokens rotate every hour')
  for (const spoil of [
    () => token.remove(),
    () => token.write(''),
    () => token.write('two words'),
    () => token.write('\n'),
  ]) {
    spoil()
    const before = api.received.length
    assert.equal((await alice.ask(namespaces)).status, 503)
    const refused = await openWebSocket(t, gateway.origin + exec, alice.headers, ['v5.channel.k8s.io'])
    assert.ok(refused.kind === 'refused' && refused.status === 503)
    assert.equal(api.received.length, before)
  }
  const warnings = gateway.lines().filter(({ code, level }) => code === 'token_file_unreadable' && level === 'warn')
  for (const why of ['no such file', 'is empty', 'holds no token']) {
    assert.ok(
      warnings.some(({ msg }) => msg.includes(token.file) && msg.includes(why)),
      why,
    )
  }
  assert.doesNotMatch(gateway.logText(), /first-token|other-token|two words/)
  token.write('other-token')
  assert.equal((await alice.ask(namespaces)).status, 200)
})
