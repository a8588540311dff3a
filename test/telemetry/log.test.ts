import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { GatewayError } from '../../src/core/errors.ts'
import { Secret } from '../../src/core/secret.ts'
import { type AccessEntry, createAccessLog } from '../../src/telemetry/access-log.ts'
import { createAudit, hashId } from '../../src/telemetry/audit.ts'
import { openLogDestination } from '../../src/telemetry/destination.ts'
import { createLogger } from '../../src/telemetry/log.ts'

const clock = { now: () => 1_800_000_000_042 }
const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl'

function memory() {
  const lines: string[] = []
  return { lines, destination: { write: (line: string) => void lines.push(line) } }
}

function logged(write: (log: ReturnType<typeof createLogger>) => void, level: 'debug' | 'info' | 'warn' = 'info') {
  const { lines, destination } = memory()
  write(createLogger({ level }, { destination, clock }))
  return lines
}

test('a line is JSON with level, ISO time, fields and message', () => {
  const lines = logged((log) => {
    log.debug({}, 'too quiet')
    log.info({ port: 4180 }, 'listening')
  })
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [{ level: 'info', time: '2027-01-15T08:00:00.042Z', port: 4180, msg: 'listening' }],
  )
  assert.ok(lines[0]!.endsWith('}\n'))
})

test('no credential reaches a line, wherever it was put', () => {
  const secrets = [jwt, 'opaque-Refresh-12345', 'hunter2hunter2', 'c29tZWNvb2tpZQ', 'dXNlcjpwYXNz', 'the-code-9']
  const lines = logged((log) => {
    log.info({ secret: new Secret('hunter2hunter2'), deep: { key: new Secret('hunter2hunter2') } }, 'secret type')
    log.info({ authorization: 'x hunter2hunter2', headers: { cookie: 'a=hunter2hunter2' } }, 'headers')
    log.info(
      { req: { headers: { 'set-cookie': 'hunter2hunter2' } }, tokens: { accessToken: 'opaque-Refresh-12345' } },
      'deep',
    )
    log.info({ token: jwt, refresh_token: 'opaque-Refresh-12345', other: `text ${jwt} text` }, `message ${jwt}`)
    log.info({ line: 'Authorization: Bearer opaque-Refresh-12345' }, 'Basic dXNlcjpwYXNz')
    log.info({ seen: '__Host-Http-dw-0a1b2c3d=c29tZWNvb2tpZQ; dw-0a1b2c3d-1=c29tZWNvb2tpZQ; theme=dark' }, 'cookies')
    log.info({ url: 'https://a.example/_doorward/callback?iss=x&code=the-code-9&state=the-code-9' }, 'callback')
    log.warn(
      { body: 'grant_type=refresh_token&refresh_token=opaque-Refresh-12345&client_secret=hunter2hunter2' },
      'form',
    )
    const cause = Object.assign(new Error(`body ${jwt}`), { response: { access_token: 'opaque-Refresh-12345' } })
    log.error({ err: Object.assign(new Error('failed', { cause }), { code: 'E_X', body: 'hunter2hunter2' }) }, 'error')
    log.error({ err: { access_token: 'opaque-Refresh-12345', any: 'hunter2hunter2' } }, 'not an error')
  })
  assert.equal(lines.length, 10)
  for (const line of lines) {
    JSON.parse(line)
    for (const secret of secrets) assert.ok(!line.includes(secret), `${secret} in ${line}`)
  }
  assert.match(lines[5]!, /theme=dark/)
  const error = JSON.parse(lines[8]!).err
  assert.deepEqual([error.message, error.code, error.cause.message], ['failed', 'E_X', 'body [token]'])
  assert.match(error.stack, /log\.test\.ts/)
})

test('text of a client that is almost a credential, again and again, does not hold up the process', () => {
  const almost = [
    'eyJ-',
    'eyJabcdef-',
    'dw-12345678-login-',
    '__Host-dw-12345678-',
    'Bearer ',
    'bearer a',
    'code=',
    '?state=',
  ]
  const began = performance.now()
  const lines = logged((log) => {
    for (const part of almost) log.warn({ detail: part.repeat(200_000 / part.length) }, 'long')
  })
  assert.equal(lines.length, almost.length)
  assert.ok(performance.now() - began < 2000)
})

test('a failure that lists its problems is told once, without a stack', () => {
  const problems = [
    { path: 'session.idle', line: 12, message: 'has no unit', hint: 'write 90s', secret: 'hunter2hunter2' },
    { path: '', line: undefined, message: 'does not exist', hint: '' },
  ]
  const planned = Object.assign(new Error('doorward.yaml: 2 problems\ndoorward.yaml:12: …'), { problems })
  planned.name = 'ConfigError'
  const odd = Object.assign(new Error('odd'), { problems: [{ access_token: 'hunter2hunter2' }] })
  const [line, other] = logged((log) => {
    log.error({ err: planned }, 'refused')
    log.error({ err: odd }, 'odd')
  })
  assert.deepEqual(JSON.parse(line!).err, {
    type: 'ConfigError',
    message: 'doorward.yaml: 2 problems',
    problems: ['line 12: session.idle: has no unit (write 90s)', 'does not exist'],
  })
  assert.equal('problems' in JSON.parse(other!).err, false)
  assert.match(JSON.parse(other!).err.stack, /log\.test\.ts/)
})

test('a planned failure is told with its causes, and without a stack', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8080'), { code: 'ECONNREFUSED' })
  const [line] = logged((log) =>
    log.warn({ err: new GatewayError('upstream_timeout', 'app: no answer', { cause }) }, 'refused'),
  )
  assert.deepEqual(JSON.parse(line!).err, {
    type: 'GatewayError',
    message: 'app: no answer',
    code: 'upstream_timeout',
    cause: { type: 'Error', message: cause.message, code: 'ECONNREFUSED' },
  })
})

test('ordinary sentences stay as they are', () => {
  const sentence = 'Bearer verification failed: Basic authentication, exit code=7 for state=ready'
  const [line] = logged((log) => log.info({}, sentence))
  assert.equal(JSON.parse(line!).msg, sentence)
})

test('nothing in a value can start a line or talk to a terminal', () => {
  const evil = 'a\r\n{"level":"info"}\u001b[31m\u009b31m\u2028\u202e\u007f'
  const { lines, destination } = memory()
  createLogger({ level: 'info' }, { destination, clock }).info({ evil }, evil)
  createAccessLog(
    { access: true },
    destination,
    clock,
  )({ ...entry, path: `/${evil}`, requestId: evil, user: evil, method: evil })
  for (const line of lines) {
    assert.match(line, /^[\x20-\x7e]+\n$/)
    assert.ok(Object.values(JSON.parse(line)).some((value) => String(value).includes(evil)))
  }
})

const entry: AccessEntry = {
  front: 'proxy',
  requestId: 'r-1',
  method: 'GET',
  host: 'app.example.com',
  path: '/a"b?code=secret',
  status: 200,
  latency: 1.23456,
  address: '192.0.2.1',
  route: 'admin',
  verdict: 'allow',
  reason: undefined,
  user: 'u-1',
}

test('an access line says who, what and how it ended, without the query', () => {
  const { lines, destination } = memory()
  const write = createAccessLog({ access: true }, destination, clock)
  write(entry)
  write({
    ...entry,
    path: `/${'x'.repeat(2000)}`,
    latency: Number.NaN,
    route: undefined,
    verdict: undefined,
    user: undefined,
  })
  assert.deepEqual(JSON.parse(lines[0]!), {
    level: 'info',
    time: '2027-01-15T08:00:00.042Z',
    msg: 'access',
    front: 'proxy',
    requestId: 'r-1',
    method: 'GET',
    host: 'app.example.com',
    path: '/a"b',
    status: 200,
    ms: 1.235,
    client: '192.0.2.1',
    route: 'admin',
    verdict: 'allow',
    user: 'u-1',
  })
  const second = JSON.parse(lines[1]!)
  assert.deepEqual([second.path.length, second.ms, 'route' in second], [1025, 0, false])
  createAccessLog({ access: false }, destination, clock)(entry)
  assert.equal(lines.length, 2)
})

test('audit events name the person and the hash of the session, and are counted', () => {
  const { lines, destination } = memory()
  const counted: string[] = []
  const count = (kind: string) => (what: string) => void counted.push(`${kind} ${what}`)
  const audit = createAudit(createLogger({ level: 'info' }, { destination, clock }), {
    countLogin: count('login'),
    countLogout: count('logout'),
    countRefresh: count('refresh'),
    countSessionEnd: count('end'),
  })
  const identity = {
    provider: 'default',
    issuer: 'https://idp.example.com',
    subject: 'u-1',
    username: 'ada',
    email: 'ada@example.com',
    groups: ['/staff'],
    realmRoles: [],
    clientRoles: {},
    scopes: [],
    claims: { salary: 1 },
  }
  const sessionId = 'a-very-secret-session-id'
  audit({ event: 'login', identity, sessionId, requestId: 'r-1', address: '192.0.2.1' })
  audit({ event: 'login_failed', provider: 'default', reason: 'login_denied', detail: 'access_denied' })
  audit({ event: 'logout', identity, sessionId, by: 'provider' })
  audit({ event: 'denied', identity: undefined, route: 'admin', reason: 'requirement_unmet', unmet: ['groups'] })
  audit({ event: 'refresh_failed', identity, sessionId, errorClass: 'operator', detail: 'invalid_client' })
  audit({ event: 'session_ended', identity, sessionId, reason: 'refresh' })
  assert.deepEqual(counted, ['login ok', 'login login_denied', 'logout provider', 'refresh operator', 'end refresh'])
  assert.deepEqual(JSON.parse(lines[0]!), {
    level: 'info',
    time: '2027-01-15T08:00:00.042Z',
    audit: true,
    event: 'login',
    requestId: 'r-1',
    address: '192.0.2.1',
    user: 'u-1',
    username: 'ada',
    issuer: 'https://idp.example.com',
    provider: 'default',
    session: hashId(sessionId),
    msg: 'audit: login',
  })
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).level),
    ['info', 'info', 'info', 'info', 'warn', 'info'],
  )
  assert.deepEqual(JSON.parse(lines[3]!).unmet, ['groups'])
  for (const line of lines) assert.doesNotMatch(line, /very-secret|salary|@example/)
})

test('lines are written in batches and none is lost at the end', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-log-'))
  const file = path.join(folder, 'log')
  const destination = openLogDestination(file)
  try {
    for (let n = 0; n < 200; n++) destination.write(`{"n":${n}}\n`)
    assert.ok(readFileSync(file, 'utf8').length < 200 * 8, 'not one system call per line')
    await destination.close()
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).n),
      [...Array(200).keys()],
    )
    assert.equal(destination.dropped(), 0)
    destination.write('too late')
    destination.flush()
    assert.ok(destination.dropped() > 0, 'a closed log is no reason to throw')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
