import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { run } from '../../src/cli/main.ts'
import { worldOf } from './world.ts'

const issuer = 'https://issuer.example.com'
const folder = mkdtempSync(path.join(tmpdir(), 'doorward-token-'))
after(() => rmSync(folder, { recursive: true }))
let mint: (claims: Record<string, unknown>) => Promise<string>

before(async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }] }
  writeFileSync(path.join(folder, 'keys.json'), JSON.stringify(keys))
  writeFileSync(path.join(folder, 'doorward.yaml'), configFile)
  const now = Math.floor(Date.now() / 1000)
  const usual = { iss: issuer, aud: 'api', sub: 'robot', iat: now, exp: now + 60, azp: 'robot', groups: ['/robots'] }
  mint = (claims) =>
    new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'k' }).sign(privateKey)
})

const configFile = `
version: 1
publicUrl: https://api.example.com
provider: { kind: oidc, issuer: ${issuer}, clientId: web, clientSecret: canary-9f8e7d6c5b4a3210 }
bearer: [{ issuer: ${issuer}, audience: api, keys: { file: keys.json } }]
routes:
  - path: /robots/*
    allow: { groups: [/robots] }
    accept: [bearer]
    upstream: http://127.0.0.1:3000
  - allow: signedIn
    upstream: http://127.0.0.1:3000
`

async function explain(token: string, url: string, ...more: string[]) {
  let text = ''
  const world = worldOf({ cwd: folder, stdin: `${token}\n`, onLine: (_, line) => (text += `${line}\n`) })
  const code = await run(['explain', '--url', url, '--token', '-', ...more], world)
  for (const part of token.split('.')) assert.ok(!text.includes(part), 'no part of a token is ever printed')
  return { code, text }
}

test('a token is verified as a request would be, and judged', async () => {
  const good = await explain(await mint({}), '/robots/1', '--method', 'POST')
  assert.equal(good.code, 0, good.text)
  assert.match(good.text, /as robot, shown by a token$/m)
  assert.match(good.text, /yes +groups +\/robots +\/robots/)
  assert.match(good.text, /verdict: allow as robot/)

  const stranger = await explain(await mint({ groups: [] }), '/robots/1')
  assert.equal(stranger.code, 1)
  assert.match(stranger.text, /verdict: forbid \(403\), .*\/robots/)
})

test('what is wrong with a token is named, and nobody is let in by it', async () => {
  for (const claims of [{ aud: 'other' }, { exp: 1 }, { iss: 'https://evil.example' }]) {
    const { code, text } = await explain(await mint(claims), '/robots/1')
    assert.equal(code, 1)
    assert.match(text, /verdict: challenge \(401\), /)
    assert.match(text, /with a token that is not valid: (?:invalid (?:audience|issuer)|.*expired)/)
  }
  const other = await mint({})
  const forged = `${other.slice(0, other.lastIndexOf('.'))}.${Buffer.alloc(256, 7).toString('base64url')}`
  const { code, text } = await explain(forged, '/robots/1')
  assert.equal(code, 1)
  assert.match(text, /not valid/)
})

test('a token counts where the route accepts one, and nowhere else', async () => {
  const { code, text } = await explain(await mint({}), '/pages')
  assert.equal(code, 1)
  assert.match(text, /with a token; this route does not look at a token/)
  assert.match(text, /verdict: login/)
})

test('--no-verify believes the claims, and says so', async () => {
  const { code, text } = await explain(await mint({ exp: 1 }), '/robots/1', '--no-verify')
  assert.equal(code, 0)
  assert.match(text, /shown by a token \(not verified\)/)
  const json = await explain(await mint({ exp: 1 }), '/robots/1', '--no-verify', '--json')
  assert.match(json.text, /"verified": false/)
})

test('--as - reads the claims from standard input', async () => {
  let text = ''
  const stdin = '{ "sub": "u-1", "preferred_username": "ada" }\n'
  const world = worldOf({ cwd: folder, stdin, onLine: (_, line) => (text += `${line}\n`) })
  assert.equal(await run(['explain', '--url', '/pages', '--as', '-'], world), 0, text)
  assert.match(text, /verdict: allow as ada/)
})
