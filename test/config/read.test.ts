import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { parseConfigText } from '../../src/config/read.ts'
import { urisToRegister } from '../../src/config/uris.ts'
import { Secret } from '../../src/core/secret.ts'

const minimal = `version: 1
publicUrl: [https://a.example.com, https://b.example.com]
provider: { kind: keycloak, issuer: https://keycloak.example.com/realms/main, clientId: app }
routes: [{ allow: signedIn, upstream: http://127.0.0.1:3000 }]
`

function problemsOf(run: () => unknown) {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

test('what is not YAML is refused with its line and without its text', () => {
  const broken: Record<string, number> = {
    'a: 1\nsecret: "hunter2-hunter2\n': 3,
    'a: 1\n\tsecret: hunter2-hunter2\n': 2,
    'a: 1\nb: 2\n---\nc: hunter2-hunter2\n': 3,
    'secret: *hunter2-hunter2\n': 1,
    'secret: !hunter2-hunter2 x\n': 1,
    'secret: @hunter2-hunter2\n': 1,
    'a: hunter2: hunter2-hunter2\n': 1,
  }
  for (const [text, line] of Object.entries(broken)) {
    const problems = problemsOf(() => parseConfigText(text, 'doorward.yaml', {}))
    assert.ok(problems.length > 0, text)
    assert.ok(!JSON.stringify(problems).includes('hunter2'), text)
    assert.equal(problems[0]!.line, line, text)
  }
})

test('a broken structure is one problem, and broken values are one each', () => {
  const told: Record<string, readonly number[]> = {
    'a: 1\nprovider:\n\tkind: keycloak\n\tissuer: x\nroutes:\n\t- allow: signedIn\n\t  upstream: y\n': [3],
    'a: 1\nprovider: { clientSecret: "x\n': [3],
    'a: 1\n b: 2\nc: 3\n  d: 4\n': [1],
    'a: @x\nb: !foo x\nc: "\\q"\nd: @z\n\te: 1\n\tf: 1\n': [1, 2, 3, 4, 5],
  }
  for (const [text, lines] of Object.entries(told)) {
    const problems = problemsOf(() => parseConfigText(text, 'doorward.yaml', {}))
    assert.deepEqual(
      problems.map(({ line }) => line),
      lines,
      text,
    )
  }
})

test('aliases that multiply a file are refused', () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}, *l${level}, *l${level}]`,
  )
  const bomb = ['l0: &l0 [x, x, x, x]', ...levels].join('\n')
  assert.match(String(problemsOf(() => parseConfigText(bomb, 'doorward.yaml', {}))[0]?.message), /aliases/)
})

test('a file that cannot be read says why', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'doorward-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = path.join(directory, 'doorward.yaml')
  const messageOf = (name: string) => problemsOf(() => loadConfig(name, {}))[0]?.message
  assert.equal(messageOf(file), 'does not exist')
  assert.equal(messageOf(directory), 'is a directory')
  writeFileSync(file, Buffer.from([0x61, 0x3a, 0xff, 0xfe]))
  assert.equal(messageOf(file), 'is not UTF-8 text')
  writeFileSync(file, `a: ${'x'.repeat(1024 * 1024)}`)
  assert.equal(messageOf(file), 'larger than 1 MiB')
})

test('the key of a memory store is made up once and kept over a reload', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'doorward-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = path.join(directory, 'doorward.yaml')
  writeFileSync(file, minimal)
  const first = loadConfig(file, {}).config.session
  const second = loadConfig(file, {}).config.session
  assert.equal(first.ephemeral, true)
  assert.ok(first.secrets[0]!.reveal().length >= 43)
  assert.notEqual(first.secrets[0]!.reveal(), second.secrets[0]!.reveal())
  const kept = loadConfig(file, {}, { ephemeralSecret: new Secret('kept') }).config.session
  assert.equal(kept.secrets[0]!.reveal(), 'kept')
})

test('secret files are trimmed and not decoded', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'doorward-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const text = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY='
  writeFileSync(path.join(directory, 'session'), `\n  ${text}\r\n\n`)
  const file = path.join(directory, 'doorward.yaml')
  writeFileSync(file, `${minimal}session: { secret: { file: session } }\n`)
  const { config } = loadConfig(file, {})
  assert.equal(config.session.secrets[0]!.reveal(), text)
  assert.deepEqual(config.files, [file, path.join(directory, 'session')])
  assert.ok(!JSON.stringify(config).includes(text))
})

test('a logo and a secret have a size', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'doorward-'))
  t.after(() => rmSync(directory, { recursive: true }))
  writeFileSync(path.join(directory, 'logo.png'), Buffer.alloc(256 * 1024 + 1))
  writeFileSync(path.join(directory, 'session'), 'x'.repeat(64 * 1024 + 1))
  const file = path.join(directory, 'doorward.yaml')
  writeFileSync(file, `${minimal}session: { secret: { file: session } }\nbrand: { logo: logo.png }\n`)
  assert.deepEqual(
    problemsOf(() => loadConfig(file, {})).map(({ message }) => message.replace(directory, '')),
    ['the file /session is larger than 64 KiB', 'the file /logo.png is larger than 256 KiB'],
  )
})

test('the URIs to register are exact', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'doorward-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = path.join(directory, 'doorward.yaml')
  writeFileSync(file, minimal)
  assert.deepEqual(urisToRegister(loadConfig(file, {}).config), [
    {
      provider: 'default',
      redirectUris: ['https://a.example.com/_doorward/callback', 'https://b.example.com/_doorward/callback'],
      postLogoutRedirectUris: [
        'https://a.example.com/_doorward/signed-out',
        'https://b.example.com/_doorward/signed-out',
      ],
      backchannelLogoutUri: 'https://a.example.com/_doorward/backchannel-logout',
    },
  ])
  const two =
    'providers: { corp: { issuer: https://a.example, clientId: x }, other: { issuer: https://b.example, clientId: x } }'
  writeFileSync(file, minimal.replace(/^provider:.*$/m, two))
  const named = urisToRegister(loadConfig(file, {}).config)
  assert.deepEqual(
    named.map(({ redirectUris }) => redirectUris[0]),
    ['https://a.example.com/_doorward/callback/corp', 'https://a.example.com/_doorward/callback/other'],
  )
})
