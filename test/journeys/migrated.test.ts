/** A file that `doorward migrate oauth2-proxy` wrote, started, and used by the addresses and URIs of before. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { startIdp } from '../../src/dev/idp.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { migrate } from '../cli/migrated.ts'
import { type Application, startApplication } from '../support/application.ts'
import { type Browser, createBrowser, signIn, type Visit } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'

/** What a configuration of theirs is written from. */
interface Before {
  readonly origin: string
  readonly listen: string
  readonly issuer: string
  readonly application: string
}

interface Shape {
  readonly argv: readonly string[]
  readonly files: Readonly<Record<string, string>>
  /** Of this process, while it is migrated. */
  readonly env?: Readonly<Record<string, string>>
  /** What a person puts in place of a question, or into an empty place. */
  readonly answers?: readonly (readonly [asked: string, answer: string])[]
}

interface After {
  readonly origin: string
  readonly application: Application
  readonly server: RunningServer
  readonly file: string
  signedIn(username: string): Promise<{ readonly browser: Browser; readonly visit: Visit }>
}

const clientSecret = 'the-client-secret-that-is-registered'
const cookieSecret = 'a-cookie-secret-of-before-0123456789'

/** The way somebody goes who moves: the file, its questions, its secrets, the start. */
async function moved(t: TestContext, shapeOf: (before: Before) => Shape): Promise<After> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const idp = await startIdp({
    host: 'localhost',
    clients: [
      {
        clientId: 'shop',
        clientSecret,
        // As it is registered today.
        redirectUris: [`${origin}/oauth2/callback`],
        postLogoutRedirectUris: [`${origin}/oauth2/signed-out`],
      },
    ],
  })
  t.after(idp.close)
  const application = await startApplication()
  t.after(application.close)
  const shape = shapeOf({ origin, listen: `127.0.0.1:${port}`, issuer: idp.issuer, application: application.url })
  const { file: written, aside } = await migrate(t, shape.argv, shape)
  const { file, environment } = answered(t, written, shape.answers ?? [])
  assert.doesNotMatch(file, /TODO/, aside)
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line), dropped: () => 0, flush() {}, async close() {} }
  const server = await startServer({
    source: { load: (more) => loadConfig(file, environment, more) },
    destination,
    watch: false,
  })
  t.after(server.close)
  return {
    origin,
    application,
    server,
    file,
    async signedIn(username) {
      const browser = createBrowser()
      t.after(browser.close)
      const page = await browser.navigate(`${origin}/oauth2/start?rd=${encodeURIComponent('/wiki?a=1')}`)
      const asked = page.hops.find(({ url }) => url.startsWith(`${idp.issuer}/auth?`))
      assert.ok(asked !== undefined, page.text)
      assert.equal(new URL(asked.url).searchParams.get('redirect_uri'), `${origin}/oauth2/callback`)
      return { browser, visit: await signIn(browser, page, username) }
    },
  }
}

/** The file in a folder, with the answers in it, and the secrets it asks for where it looks for them. */
function answered(t: TestContext, written: string, answers: readonly (readonly [string, string])[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-moved-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let text = written.replaceAll('/run/secrets/', `${folder}/secrets/`)
  // Nothing is at fixed ports here; where it was said, it stays.
  if (!/^operations:/m.test(text)) text += '\noperations: 127.0.0.1:0\n'
  text = text.replace('forwardAuth: 0.0.0.0:4181', 'forwardAuth: 127.0.0.1:0')
  for (const [asked, answer] of answers) {
    assert.ok(text.includes(asked), `${asked} is not asked:\n${text}`)
    text = text.replaceAll(asked, answer)
  }
  mkdirSync(`${folder}/secrets`)
  for (const [, name] of text.matchAll(/\/secrets\/([\w-]+) \}/g)) {
    writeFileSync(`${folder}/secrets/${name}`, name === 'session' ? cookieSecret : clientSecret)
  }
  const environment = Object.fromEntries(
    [...text.matchAll(/(?:env: |\$\{)(\w+)/g)].map(([, name]) => [name!, valueFor(name!)]),
  )
  const file = path.join(folder, 'doorward.yaml')
  writeFileSync(file, text)
  return { file, environment }
}

const valueFor = (variable: string): string =>
  /COOKIE/.test(variable) ? cookieSecret : /ID$/.test(variable) ? 'shop' : clientSecret

const flagsOf = ({ origin, listen, issuer, application }: Before) => [
  '--provider=oidc',
  `--oidc-issuer-url=${issuer}`,
  '--client-id=shop',
  '--client-secret=canary',
  '--cookie-secret=canary',
  `--redirect-url=${origin}/oauth2/callback`,
  `--http-address=${listen}`,
  `--upstream=${application}/`,
  '--metrics-address=127.0.0.1:0',
]

/** A proxy in front of an application: who is let in, what it is told, and what the old addresses say. */
async function isTheSameAsBefore({ origin, application, signedIn }: After): Promise<void> {
  const { browser, visit } = await signedIn('ada')
  assert.deepEqual([visit.status, visit.url], [200, `${origin}/wiki?a=1`], visit.text)
  const told = application.last().headers
  assert.equal(told['x-forwarded-email'], 'ada@example.com')
  const userinfo = await browser.fetch(`${origin}/oauth2/userinfo`)
  assert.equal(userinfo.status, 200)
  assert.equal(JSON.parse(userinfo.body).user, told['x-forwarded-user'])
  assert.equal(JSON.parse(userinfo.body).email, 'ada@example.com')
  const out = await browser.navigate(`${origin}/oauth2/sign_out?rd=/health`)
  assert.ok(
    out.hops.some(({ url }) => url.includes('/session/end')),
    out.hops.map(({ url }) => url).join('\n'),
  )
  assert.equal((await browser.fetch(`${origin}/oauth2/userinfo`)).status, 401)
}

/** Ada is an admin, Bob is not. */
async function adminsAlone({ origin, application, signedIn }: After): Promise<void> {
  const before = application.received.length
  const { browser, visit } = await signedIn('bob')
  assert.equal(visit.status, 403, visit.text)
  assert.equal((await browser.fetch(`${origin}/wiki`)).status, 403)
  assert.equal(application.received.length, before)
}

test('flags: * is answered', async (t) => {
  const after = await moved(t, (before) => ({
    argv: ['--', ...flagsOf(before), '--email-domain=*', '--skip-auth-route=GET=^/health$'],
    files: {},
    answers: [['TODO', '{ groups: [/admins] }']],
  }))
  await isTheSameAsBefore(after)
  await adminsAlone(after)
  assert.equal((await fetch(`${after.origin}/health`)).status, 200)
  assert.equal((await fetch(`${after.origin}/health`, { method: 'POST' })).status, 401)
})

test('environment: secrets stay where they are', async (t) => {
  const after = await moved(t, (before) => ({
    argv: [],
    files: {},
    env: {
      OAUTH2_PROXY_PROVIDER: 'keycloak-oidc',
      OAUTH2_PROXY_OIDC_ISSUER_URL: before.issuer,
      OAUTH2_PROXY_CLIENT_ID: 'shop',
      OAUTH2_PROXY_CLIENT_SECRET: 'canary-0123456789-0123456789-0123',
      OAUTH2_PROXY_COOKIE_SECRET: 'canary-0123456789-0123456789-0123',
      OAUTH2_PROXY_REDIRECT_URL: `${before.origin}/oauth2/callback`,
      OAUTH2_PROXY_HTTP_ADDRESS: before.listen,
      OAUTH2_PROXY_UPSTREAMS: before.application,
      OAUTH2_PROXY_EMAIL_DOMAINS: 'example.com',
      OAUTH2_PROXY_ALLOWED_ROLES: 'admin',
      OAUTH2_PROXY_SKIP_PROVIDER_BUTTON: 'true',
    },
  }))
  await isTheSameAsBefore(after)
  await adminsAlone(after)
})

test('TOML: a page of their own before the sign-in, and tokens for the application', async (t) => {
  const after = await moved(t, ({ origin, listen, issuer, application }) => ({
    argv: ['--cfg', 'auth.cfg'],
    files: {
      'auth.cfg': `provider = "oidc"
oidc_issuer_url = "${issuer}"
client_id = "shop"
client_secret = "canary"
cookie_secret = "canary"
redirect_url = "${origin}/oauth2/callback"
http_address = "${listen}"
upstreams = [ "${application}/" ]
email_domains = [ "example.com" ]
pass_access_token = true
`,
    },
  }))
  const start = await createBrowserFor(t).navigate(`${after.origin}/`)
  assert.match(start.body, /\/oauth2\/login\?provider=default/, 'the button')
  await isTheSameAsBefore(after)
  assert.ok(after.application.received.some(({ headers }) => headers['x-forwarded-access-token'] !== undefined))
})

function createBrowserFor(t: TestContext): Browser {
  const browser = createBrowser()
  t.after(browser.close)
  return browser
}

test('alpha configuration: headers that it names, and two upstreams', async (t) => {
  const after = await moved(t, ({ origin, listen, issuer, application }) => ({
    argv: [
      '--alpha-config',
      'alpha.yaml',
      '--',
      `--redirect-url=${origin}/oauth2/callback`,
      '--email-domain=example.com',
    ],
    files: {
      'alpha.yaml': `server: { bindAddress: "${listen}" }
providers:
  - id: shop
    provider: oidc
    clientID: shop
    clientSecret: canary
    oidcConfig: { issuerURL: "${issuer}" }
upstreamConfig:
  upstreams:
    - { id: wiki, path: /, uri: "${application}" }
    - { id: yes, path: /yes, static: true, staticCode: 204 }
injectRequestHeaders:
  - { name: X-Shop-Mail, values: [{ claimSource: { claim: email } }] }
  - { name: X-Forwarded-Email, values: [{ claim: email }] }
  - { name: X-Forwarded-User, values: [{ claim: user }] }
`,
    },
  }))
  await isTheSameAsBefore(after)
  assert.ok(after.application.received.some(({ headers }) => headers['x-shop-mail'] === 'ada@example.com'))
  const { browser } = await after.signedIn('bob')
  assert.equal((await browser.fetch(`${after.origin}/yes`)).status, 204)
})

test('a compose file: its service among others, and its variables', async (t) => {
  const after = await moved(t, ({ origin, listen, issuer, application }) => ({
    argv: ['--args-file', 'compose.yaml'],
    files: {
      'compose.yaml': `services:
  shop: { image: shop, command: [--port=3000] }
  auth:
    image: quay.io/oauth2-proxy/oauth2-proxy:v7.6.0
    command: --http-address=${listen} --upstream=${application} --email-domain=example.com
    environment:
      - OAUTH2_PROXY_PROVIDER=oidc
      - OAUTH2_PROXY_OIDC_ISSUER_URL=${issuer}
      - OAUTH2_PROXY_REDIRECT_URL=${origin}/oauth2/callback
      - OAUTH2_PROXY_CLIENT_ID
      - OAUTH2_PROXY_CLIENT_SECRET
      - OAUTH2_PROXY_COOKIE_SECRET=\${COOKIE_SECRET}
`,
    },
  }))
  await isTheSameAsBefore(after)
})

test('values of the Helm chart: an ingress asks', async (t) => {
  const after = await moved(t, ({ origin, listen, issuer }) => ({
    argv: ['--args-file', 'values.yaml'],
    files: {
      'values.yaml': `config:
  existingSecret: shop
  configFile: |
    email_domains = [ "*" ]
    upstreams = [ "file:///dev/null" ]
extraArgs:
  provider: oidc
  oidc-issuer-url: ${issuer}
  redirect-url: ${origin}/oauth2/callback
  http-address: ${listen}
  metrics-address: 127.0.0.1:0
  set-xauthrequest: true
  reverse-proxy: true
  allowed-group: /admins
ingress: { enabled: true, hosts: [auth.example.com] }
`,
    },
    answers: [['# trustedProxies: [10.42.0.7]', 'trustedProxies: [127.0.0.1]']],
  }))
  const { browser } = await after.signedIn('ada')
  const ask = (who: Browser | undefined, more: Readonly<Record<string, string>> = {}) => {
    const cookie = who?.cookies
      .all()
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
    return fetch(new URL('/oauth2/auth', after.server.addresses.forwardAuth), {
      headers: {
        'x-original-url': `${after.origin}/wiki?a=1`,
        'x-original-method': 'GET',
        ...(cookie !== undefined && { cookie }),
        ...more,
      },
    })
  }
  const yes = await ask(browser, { 'x-auth-request-user': 'root', 'x-auth-request-email': 'root@example.com' })
  assert.equal(yes.status, 202)
  assert.equal(yes.headers.get('x-auth-request-email'), 'ada@example.com')
  assert.match(yes.headers.get('x-auth-request-user') ?? '', /^[\da-f-]{36}$/)
  assert.equal(yes.headers.get('x-auth-request-groups'), '/staff,/admins')
  assert.equal((await ask(undefined)).status, 401)
  assert.equal((await ask((await after.signedIn('bob')).browser)).status, 403)
})
