import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import type { Idp, IdpUser } from '../../src/dev/idp.ts'
import type { Lifetimes } from '../../src/dev/idp-provider.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { type Application, startApplication } from './application.ts'
import { type Browser, type BrowserOptions, createBrowser, signIn, type Visit } from './browser.ts'
import { type MovableClock, movableClock } from './clock.ts'
import { freePort } from './free-port.ts'
import { startTestIdp } from './idp.ts'

/** Keys of the config file; those given replace the usual ones whole. */
export type ConfigKeys = Readonly<Record<string, unknown>>

export interface GatewayOptions {
  readonly store?: 'memory' | 'cookie'
  /** Further keys of `session`. */
  readonly session?: ConfigKeys
  /** Top-level keys beyond the usual, or in their place. */
  readonly config?: ConfigKeys | ((world: World) => ConfigKeys)
  readonly users?: readonly IdpUser[]
  /** Seconds, at the provider. */
  readonly lifetimes?: Partial<Lifetimes>
  /** Where it listens; a free port unless given. For what has to be registered before it starts. */
  readonly port?: number
  /** Where browsers reach it, if not at its own port: a TLS front, another name. Gets the port it listens on. */
  readonly publicUrl?: (port: number) => string
  /** What `env:` and `\${NAME}` of the file find. */
  readonly environment?: Readonly<Record<string, string>>
  /** All of the provider answers 500 until `idp.fail(undefined)`. */
  readonly providerDown?: boolean
  /** The test means to see lines of level error. */
  readonly errorsExpected?: boolean
}

/** What a config can be written from. */
export interface World {
  readonly publicUrl: string
  readonly issuer: string
  readonly application: string
}

export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly [field: string]: unknown
}

/** A whole gateway on real sockets: embedded provider, application, and `startServer` from a file. */
export interface TestGateway {
  /** Of publicUrl. */
  readonly origin: string
  /** Where it really listens. */
  readonly port: number
  readonly idp: Idp
  readonly application: Application
  readonly clock: MovableClock
  readonly server: RunningServer
  readonly file: string
  readonly issuer: string
  lines(): readonly LogLine[]
  /** All that was logged, as text: for canaries. */
  logText(): string
  /** A new browser, closed with the test. */
  browser(options?: BrowserOptions): Browser
  /** Address of one of our pages. */
  own(page: string): string
  /** Writes the file anew, with these keys in place of those of the start. */
  write(keys: ConfigKeys): void
  metrics(): Promise<string>
}

export const clientId = 'gateway'
export const clientSecret = 'the-client-secret-of-the-journeys'
export const sessionSecret = 'a-key-text-for-journeys-0123456789'

/** Starts everything; the test's end closes it and fails on any line of level error. */
export async function startGateway(t: TestContext, options: GatewayOptions = {}): Promise<TestGateway> {
  const port = options.port ?? (await freePort())
  const publicUrl = options.publicUrl?.(port) ?? `http://127.0.0.1:${port}`
  const idp = await startTestIdp({
    host: 'localhost',
    ...(options.users && { users: options.users }),
    lifetimes: { idToken: 100_000, refreshToken: 1_000_000, ...options.lifetimes },
    clients: [clientAt(publicUrl)],
  })
  if (options.providerDown) idp.fail(500)
  const application = await startApplication()
  const browsers: Browser[] = []
  let server: RunningServer | undefined
  t.after(async () => {
    await Promise.all(browsers.map((browser) => browser.close()))
    await server?.close()
    await Promise.all([application.close(), idp.close()])
    rmSync(folder, { recursive: true })
    if (!options.errorsExpected)
      assert.deepEqual(
        lines().filter(({ level }) => level === 'error'),
        [],
      )
  })
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-journey-'))
  const file = path.join(folder, 'config.yaml')
  const world: World = { publicUrl, issuer: idp.issuer, application: application.url }
  const usual = { ...usualConfig(world, port, options), ...keysOf(options, world) }
  // JSON is YAML too.
  const write = (keys: ConfigKeys) => writeFileSync(file, JSON.stringify({ ...usual, ...keys }, undefined, 2))
  write({})

  const clock = movableClock()
  let text = ''
  const destination = {
    write(line: string) {
      text += line
    },
    dropped: () => 0,
    flush() {},
    async close() {},
  }
  const lines = (): LogLine[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  const running = await startServer({
    source: { load: (more) => loadConfig(file, options.environment ?? {}, more) },
    destination,
    clock,
    watch: false,
  })
  server = running
  return {
    origin: publicUrl,
    port,
    idp,
    application,
    clock,
    server: running,
    file,
    issuer: idp.issuer,
    lines,
    logText: () => text,
    browser(more) {
      const browser = createBrowser(more)
      browsers.push(browser)
      return browser
    },
    own: (page) => `${publicUrl}/_doorward/${page}`,
    write,
    metrics: async () => (await fetch(new URL('/metrics', running.addresses.operations))).text(),
  }
}

/** The client of a gateway at an address, as the provider knows it. */
export const clientAt = (publicUrl: string) => ({
  clientId,
  clientSecret,
  redirectUris: [`${publicUrl}/_doorward/callback`],
  postLogoutRedirectUris: [`${publicUrl}/_doorward/signed-out`],
})

function keysOf({ config = {} }: GatewayOptions, world: World): ConfigKeys {
  return typeof config === 'function' ? config(world) : config
}

function usualConfig({ publicUrl, issuer, application }: World, port: number, options: GatewayOptions): ConfigKeys {
  return {
    version: 1,
    publicUrl,
    listen: `127.0.0.1:${port}`,
    operations: '127.0.0.1:0',
    provider: { issuer, clientId, clientSecret },
    session: { store: options.store ?? 'memory', secret: sessionSecret, ...options.session },
    bearer: [{ issuer, audience: 'api' }],
    routes: routesTo(application),
    limits: { drainTimeout: '2s' },
  }
}

/** Something of every kind. */
export const routesTo = (upstream: string): ConfigKeys[] => [
  { path: '/public/*', allow: 'public', upstream },
  { path: '/optional/*', allow: 'optional', upstream },
  { path: '/admin/*', allow: { groups: ['/admins'] }, upstream },
  { path: '/api/*', allow: 'signedIn', accept: ['session', 'bearer'], upstream },
  { allow: 'signedIn', upstream },
]

/** A browser with somebody signed in, and the page that came of it. */
export async function signedIn(gateway: TestGateway, username = 'ada', address = '/'): Promise<Browser> {
  const browser = gateway.browser()
  await signInAt(gateway, browser, username, address)
  return browser
}

/** From an address of the application through the provider's login page and back. */
export async function signInAt(
  gateway: TestGateway,
  browser: Browser,
  username = 'ada',
  address = '/',
): Promise<Visit> {
  const page = await browser.navigate(gateway.origin + address)
  const visit = await signIn(browser, page, username)
  assert.equal(visit.status, 200, visit.text)
  return visit
}

/** A sign-in up to the provider's answer: the callback address, not yet opened, and what the provider was asked. */
export async function reachCallback(gateway: TestGateway, browser: Browser, address: string, username = 'ada') {
  const page = await browser.navigate(gateway.origin + address)
  const asked = page.hops.find(({ url }) => url.startsWith(`${gateway.issuer}/auth?`))
  assert.ok(asked !== undefined, page.text)
  const answer = await browser.navigate(page.url, {
    from: page.url,
    form: { username, password: username },
    stopBefore: gateway.own('callback'),
  })
  return { callback: new URL(answer.headers.get('location') ?? ''), authorization: new URL(asked.url) }
}

/** What the session cookies of a gateway are called, without knowing the suffix. */
export const sessionCookieOf = (browser: Browser) =>
  browser.cookies.all().find(({ name }) => /^(?:__Host-Http-|__Secure-)?dw-[0-9a-f]{8}$/.test(name))

export const flowCookiesOf = (browser: Browser) => browser.cookies.all().filter(({ name }) => name.includes('-login-'))

/** Waits until something is so, looking often; for what happens behind the scenes. */
export async function until(isSo: () => unknown, what: string, patience = 2000): Promise<void> {
  const end = performance.now() + patience
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`it never came to pass: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
