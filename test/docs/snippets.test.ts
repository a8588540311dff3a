/** The checks that docs/signed-identity.md shows, each in its own language, against the statements of a gateway. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { decodeJwt } from 'jose'
import { Secret } from '../../src/core/secret.ts'
import { deriveAssertionKeys } from '../../src/keys/assertion-keys.ts'
import { seconds } from '../support/clock.ts'
import { sessionSecret, signedIn, startGateway, type TestGateway } from '../support/gateway.ts'
import { blocksOf } from './pages.ts'
import { type Checker, go, jose, njs, pyjwt } from './snippet-runtimes.ts'

const file = 'docs/signed-identity.md'
const blocks = blocksOf({ file, text: readFileSync(file, 'utf8') })

/** The block of the page in a language that holds a text, with the gateway's address in place of the page's. */
function snippet(language: string, holds: string, { origin }: TestGateway): string {
  const found = blocks.filter((block) => block.language === language && block.code.includes(holds))
  assert.equal(found.length, 1, `${file} shows ${holds} once`)
  assert.ok(found[0]!.code.includes('https://app.example.com'), holds)
  return found[0]!.code.replaceAll('https://app.example.com', origin)
}

async function startSigningGateway(t: TestContext): Promise<TestGateway> {
  return startGateway(t, {
    config: ({ application }) => ({
      assertion: { lifetime: '2m' },
      routes: [
        { path: '/grafana/*', allow: 'signedIn', assertionAudience: 'grafana', upstream: application },
        { allow: 'signedIn', upstream: application },
      ],
    }),
  })
}

interface Statements {
  /** Header -> who it is; the true ones. */
  readonly good: readonly string[]
  /** What is wrong with it -> header. */
  readonly bad: Readonly<Record<string, string>>
}

/** True ones come through the gateway; those that it would never make are signed with its key, or with another. */
async function statementsOf(gateway: TestGateway): Promise<Statements> {
  const browser = await signedIn(gateway, 'ada', '/grafana/')
  const last = () => String(gateway.application.last().headers['x-auth-assertion'])
  const ada = last()
  await browser.fetch(`${gateway.origin}/`)
  const general = last()
  await signedIn(gateway, 'bob', '/grafana/')
  const bob = last()
  const claims = decodeJwt(ada)
  const now = Math.floor(Date.now() / seconds)
  const sign = (changes: object, secret = sessionSecret) =>
    deriveAssertionKeys([new Secret(secret)], gateway.clock).sign({ ...claims, ...changes })
  const [head, payload, signature] = ada.split('.')
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
  return {
    good: [ada, bob, sign({})],
    bad: {
      'for another application': general,
      'too old': sign({ exp: now - 60 }),
      'of another gateway': sign({ iss: 'https://other.example.com' }),
      'signed by another': sign({}, 'another-text-for-a-key-9876543210-abc'),
      'with the name of another': `${head}.${bob.split('.')[1]}.${signature}`,
      'not signed': `${unsigned}.${payload}.`,
      'without its signature': `${head}.${payload}.`,
      'no statement': 'ada',
      nothing: '',
    },
  }
}

async function judges(check: Checker, { good, bad }: Statements): Promise<void> {
  const answers = await check([...good, ...Object.values(bad)])
  assert.deepEqual(
    answers.slice(0, good.length),
    good.map((statement) => decodeJwt(statement).sub),
  )
  assert.deepEqual(
    Object.keys(bad).filter((_, index) => answers[good.length + index] !== undefined),
    [],
    'none of these counts',
  )
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-snippet-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('jose', async (t) => {
  const gateway = await startSigningGateway(t)
  const check = await jose(folderOf(t), snippet('js', "from 'jose'", gateway))
  await judges(check, await statementsOf(gateway))
})

test('PyJWT', { skip: pyjwt.missing }, async (t) => {
  const gateway = await startSigningGateway(t)
  const check = pyjwt.check(folderOf(t), snippet('python', 'import jwt', gateway))
  await judges(check, await statementsOf(gateway))
})

test('Go', { skip: go.missing }, async (t) => {
  const gateway = await startSigningGateway(t)
  const check = await go.check(folderOf(t), snippet('go', 'package whois', gateway))
  if (check === undefined) return t.skip('the modules cannot be fetched from here')
  await judges(check, await statementsOf(gateway))
})

test('nginx with njs', { skip: njs.missing }, async (t) => {
  const gateway = await startSigningGateway(t)
  const statements = await statementsOf(gateway)
  const files = {
    'statement.js': snippet('js', 'statement.js', gateway),
    'app.conf': snippet('nginx', 'js_import', gateway),
  }
  await judges(await njs.check(t, folderOf(t), files, gateway.application), statements)
})
