/** `doorward doctor` as people call it: exit codes, what is printed, and what it does when it is ended. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Examination } from '../../src/cli/doctor/examination.ts'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { isHealthy, printFindings } from '../../src/cli/doctor/report.ts'
import { runExaminations } from '../../src/cli/doctor/run.ts'
import { run } from '../../src/cli/main.ts'
import { createOutput } from '../../src/cli/output.ts'
import { worldOf } from '../cli/world.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway } from '../support/gateway.ts'
import { openKeycloak } from '../support/keycloak.ts'
import { administrator } from '../support/keycloak-keeper.ts'
import { makeRealm } from '../support/keycloak-realm.ts'
import { type Keys, writeConfig } from './patient.ts'
import { configOf, patientWith } from './sound-patient.ts'
import { openTally } from './tally.ts'

const bin = fileURLToPath(new URL('../../bin/doorward.js', import.meta.url))
const tally = openTally('the whole command')

async function doctor(words: readonly string[], env: Readonly<Record<string, string>> = {}, stdin = '') {
  const lines = { out: [] as string[], err: [] as string[] }
  const world = worldOf({ cwd: '/', env, stdin, onLine: (stream, line) => void lines[stream].push(line) })
  const code = run(['doctor', ...words], world)
  return { world, ended: code.then((exit) => ({ exit, out: lines.out.join('\n'), err: lines.err.join('\n') })) }
}

const fileWith = (t: TestContext, keys: Keys) =>
  writeConfig(t, {
    publicUrl: 'http://127.0.0.1:4180',
    operations: 'off',
    provider: { issuer: 'http://127.0.0.1:1/realms/x', clientId: 'gateway', clientSecret: 'the-secret-of-a-client' },
    routes: [{ allow: 'signedIn', respond: { body: 'hello' } }],
    ...keys,
  })

test('a Keycloak and a file that nobody changed: two notes, and --strict is content, with every eye open', async (t) => {
  const keycloak = await openKeycloak(t)
  if (keycloak === undefined) return
  const realm = await makeRealm(t, keycloak)
  const gateway = await startGateway(t, { ...realm.gateway, session: {} })
  const env = { DOORWARD_DOCTOR_PASSWORD: 'ada', DOORWARD_ADMIN_PASSWORD: administrator.password }
  const operations = `http://${gateway.server.addresses.operations?.host ?? ''}`
  const words = ['-c', gateway.file, '--user', 'ada', '--admin-user', administrator.username, '--json', '--strict']
  const { ended } = await doctor([...words, '--operations', operations], env)
  const { exit, out } = await ended
  const { findings, healthy } = JSON.parse(out) as { findings: Finding[]; healthy: boolean }
  tally.healthy(findings.filter(({ severity }) => severity === 'error' || severity === 'warning'))
  const notes = findings.filter(({ severity }) => severity === 'note')
  tally.planted(['sso-idle-short', 'sso-max-short'], notes)
  assert.deepEqual([exit, healthy], [0, true])
  t.diagnostic(findings.map(({ name, cause }) => `${name}: ${cause}`).join(' | '))
  assert.deepEqual(await realm.sessionsOf('ada'), [], 'the session of the doctor is ended again')
})

test('an error gives 1, and is printed with name, place, cause and fix', async (t) => {
  const { ended } = await doctor(['-c', fileWith(t, {})])
  const { exit, out } = await ended
  assert.equal(exit, 1)
  assert.match(out, /^error: provider-unreachable at provider\.issuer\n {2}cause: .+\n {2}fix: {3}.+/m)
  assert.match(out, /Not seen:\n(?: .*\n)* {2}client-unseen at provider: .+\n {4}to see it: /)
  assert.match(out, /1 error, \d things? not seen$/)
})

test('a command of ours that mends it has a line of its own, with the file that was named', () => {
  const lines: string[] = []
  const out = createOutput({ write: (text: string) => lines.push(text) }, { write: () => undefined }, {})
  const fix = 'write the client ID as it is registered there'
  const finding: Finding = {
    name: 'client-unknown',
    severity: 'error',
    place: 'provider',
    cause: 'no such client',
    fix,
  }
  const command = 'doorward setup keycloak'
  printFindings({ file: 'a.yaml', strict: false, option: ' --config a.yaml' }, [{ ...finding, command }], out)
  assert.ok(lines.join('').includes(`  fix:   ${fix}\n  or run: doorward setup keycloak --config a.yaml\n`))
})

test('a note fails nothing, and is counted by itself', () => {
  const note: Finding = { name: 'sso-idle-short', severity: 'note', place: 'session.idle', cause: 'so', fix: 'nothing' }
  const lines: string[] = []
  const out = createOutput({ write: (text: string) => lines.push(text) }, { write: () => undefined }, {})
  printFindings({ file: 'a.yaml', strict: true, option: '' }, [note], out)
  assert.match(lines.join(''), /^note: sso-idle-short at session\.idle\n/)
  assert.match(lines.join(''), /a\.yaml: nothing wrong, 1 note\n$/)
  const warning: Finding = { ...note, severity: 'warning' }
  assert.deepEqual(
    [isHealthy([note], true), isHealthy([warning], true), isHealthy([warning], false)],
    [true, false, true],
  )
})

test('problems of the file are findings, and all there is', async (t) => {
  const provider = { issuer: 'http://127.0.0.1:1/realms/x', clientId: 'gateway', clientSecret: { env: 'SECRET' } }
  const file = fileWith(t, { provider, listen: 'nowhere' })
  const { ended } = await doctor(['-c', file, '--json'], { SECRET: '$secret:key' })
  const { exit, out } = await ended
  assert.equal(exit, 1)
  tally.planted(['client-secret-unusable', 'config'], JSON.parse(out).findings)
  const { out: shown } = await (await doctor(['-c', file], { SECRET: '$secret:key' })).ended
  assert.match(shown, /^error: config at .+:1\n {2}cause: listen: /m)
  assert.match(shown, /2 errors, and nothing else was looked at before the file holds$/)
})

test('a room that fails or takes too long is told, and the others stand', async (t) => {
  const patient = patientWith(configOf(t, {}))
  const sound: Examination = { name: 'sound', examine: async () => [] }
  const broken: Examination = { name: 'broken', examine: () => Promise.reject(new Error('of all things')) }
  tally.planted('examination-failed', await runExaminations([broken, sound], patient, () => undefined))
  const endless: Examination = { name: 'endless', examine: () => new Promise(() => undefined) }
  const ended = { ...patient, signal: AbortSignal.abort() }
  tally.planted('examination-unfinished', await runExaminations([endless], ended, () => undefined))
})

test('called wrongly gives 2', async (t) => {
  const file = fileWith(t, {})
  for (const [words, hint] of [
    [['--user', 'ada'], /DOORWARD_DOCTOR_PASSWORD/],
    [['--user', 'ada', '--password', 'secret-on-the-command-line'], /--password -/],
    [['--timeout', 'soon'], /30s/],
    [['--through', 'nowhere'], /https:\/\//],
  ] as const) {
    const { exit, err } = await (await doctor(['-c', file, ...words])).ended
    assert.equal(exit, 2)
    assert.match(err, hint)
  }
})

test('Ctrl-C and the deadline end it with what was found so far', async (t) => {
  const silent = createServer((socket) => void socket.on('error', () => undefined))
  const port = await freePort()
  await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve))
  t.after(() => silent.close())
  const provider = { issuer: `http://127.0.0.1:${port}/realms/x`, clientId: 'gateway', clientSecret: 'x0123456789' }
  const file = fileWith(t, { provider })
  const late = await (await doctor(['-c', file, '--timeout', '200ms', '--json'])).ended
  assert.ok(JSON.parse(late.out).findings.some(({ name }: Finding) => name === 'examination-unfinished'))
  const { world, ended } = await doctor(['-c', file, '--json'])
  setTimeout(() => (world.signals as unknown as { emit(name: string): void }).emit('SIGINT'), 100)
  const { exit, out } = await ended
  assert.equal(exit, 1)
  assert.ok(JSON.parse(out).findings.some(({ name }: Finding) => name === 'examination-unfinished'))
})

test('it needs to write no file', async (t) => {
  // Node's permission model refuses every write, as a read-only container does.
  const words = ['--permission', '--allow-fs-read=*', bin, 'doctor', '-c', fileWith(t, {}), '--json']
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  const [exit] = await once(child, 'close')
  assert.equal(exit, 1)
  const [first] = JSON.parse(out).findings
  assert.equal(first.name, 'provider-unreachable')
})
