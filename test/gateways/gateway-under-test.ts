import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { ClientRequest } from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { demoUsers, type IdpUser } from '../../src/dev/idp-users.ts'
import { ask, type HeaderLine, type RawAnswer } from '../attacks/wire.ts'
import type { Received } from '../support/application.ts'
import type { Browser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { type ConfigKeys, signedIn, startGateway, type TestGateway, type World } from '../support/gateway.ts'
import { startGatewayProcess } from './gateway-process.ts'
import type { GatewayProduct } from './gateway-product.ts'
import { openRelay, type Relay } from './relay.ts'

const host = 'app.test'
/** Raw requests come from here: an address that nobody trusts. */
const stranger = '127.0.0.2'

/** Names and groups outside of ASCII have to pass every gateway. */
const zoe: IdpUser = {
  username: 'zoë',
  password: 'zoë',
  name: 'Zoë Größe',
  email: 'zoe@example.com',
  emailVerified: true,
  groups: ['/staff', '/größe'],
  realmRoles: [],
  clientRoles: {},
}

export interface DoorwardOptions {
  readonly store?: 'memory' | 'cookie'
  /** Keys of the file in place of the usual ones. */
  readonly config?: ConfigKeys
  /** The test means to see lines of level error. */
  readonly errorsExpected?: boolean
}

export interface RawQuestion {
  readonly method?: string
  /** Goes out as it is. */
  readonly target: string
  readonly headers?: readonly HeaderLine[]
  /** Of the person with this name, signed in. */
  readonly as?: string
  readonly cookie?: string
  readonly body?: string
  /** Address of the client, in 127.0.0.0/8. */
  readonly from?: string
}

/** A real gateway between browsers and an application, with Doorward beside it. */
export interface GatewayUnderTest {
  /** What the gateway said of itself: for words. */
  readonly name: string
  /** Doorward, the provider, the application. */
  readonly world: TestGateway
  readonly host: string
  readonly port: number
  readonly origin: string
  /** Both wires from the gateway to Doorward. */
  readonly wires: { readonly pages: Relay; readonly questions: Relay }
  /** The Cookie header of somebody signed in; signs in once. */
  cookieOf(username: string): Promise<string>
  /** Written byte for byte. @throws where no answer came */
  ask(question: RawQuestion): Promise<RawAnswer>
  /** The same; undefined where the gateway hung up without a word, which is a no. */
  tryToAsk(question: RawQuestion): Promise<RawAnswer | undefined>
  /** What reached the application meanwhile. */
  during<T>(act: () => Promise<T>): Promise<{ readonly result: T; readonly reached: readonly Received[] }>
  /** A request that is read as it comes. */
  open(options: https.RequestOptions): ClientRequest
  /** Another Doorward in place of the first, for the rest of the test. */
  exchange(t: TestContext, options: DoorwardOptions): Promise<TestGateway>
}

export async function startGatewayUnderTest(
  t: TestContext,
  product: GatewayProduct,
  command: string,
): Promise<GatewayUnderTest> {
  const { asks = 'forwardAuth' } = product
  const portOf = ({ server }: TestGateway) => Number(server.addresses[asks]?.port)
  const port = await freePort()
  const origin = `https://${host}:${port}`
  const doorward = (t: TestContext, options: DoorwardOptions = {}) =>
    startGateway(t, {
      users: [...demoUsers, zoe],
      publicUrl: () => origin,
      ...options,
      config: config(options, product),
    })
  const world = await doorward(t)
  const wires = { pages: await openRelay(world.port), questions: await openRelay(portOf(world)) }
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-gateway-'))
  t.after(async () => {
    await Promise.all([wires.pages.close(), wires.questions.close()])
    rmSync(folder, { recursive: true })
  })
  await startGatewayProcess(t, product, command, {
    host,
    port,
    publicPort: wires.pages.port,
    forwardAuthPort: wires.questions.port,
    applicationPort: Number(new URL(world.application.url).port),
    folder,
    ...certificateIn(folder),
  })

  const cookies = new Map<string, string>()
  const under: GatewayUnderTest = {
    name: product.name,
    world,
    host,
    port,
    origin,
    wires,
    async cookieOf(username) {
      const kept = cookies.get(username) ?? cookieHeader(await signedIn(world, username, '/signed-in'), origin)
      cookies.set(username, kept)
      return kept
    },
    async ask(question) {
      const cookie = question.cookie ?? (question.as === undefined ? undefined : await under.cookieOf(question.as))
      const headers: HeaderLine[] = [['Host', `${host}:${port}`], ...(question.headers ?? [])]
      if (cookie !== undefined) headers.push(['Cookie', cookie])
      const { from = stranger } = question
      return ask(port, { ...question, headers }, { servername: host, from })
    },
    tryToAsk: (question) => under.ask(question).catch(() => undefined),
    async during(act) {
      const { received } = world.application
      const before = received.length
      const result = await act()
      return { result, reached: received.slice(before) }
    },
    open: (options) =>
      https.request({
        host: '127.0.0.1',
        port,
        servername: host,
        rejectUnauthorized: false,
        agent: false,
        ...options,
        headers: { host: `${host}:${port}`, ...options.headers },
      }),
    async exchange(t, options) {
      const other = await doorward(t, options)
      const lead = (to: TestGateway) => Promise.all([wires.pages.mend(to.port), wires.questions.mend(portOf(to))])
      await lead(other)
      t.after(() => lead(world))
      return other
    },
  }
  return under
}

const config =
  ({ config = {} }: DoorwardOptions, { asks = 'forwardAuth', isBeforeProxy = false }: GatewayProduct) =>
  ({ application }: World): ConfigKeys => ({
    [asks]: '127.0.0.1:0',
    trustedProxies: ['127.0.0.1'],
    routes: routes.map((route) => (isBeforeProxy ? { ...route, upstream: application } : route)),
    ...config,
  })

const routes: readonly ConfigKeys[] = [
  { path: '/public/*', allow: 'public' },
  { path: '/health', allow: 'public' },
  { path: '/admin/*', allow: { groups: ['/admins'] } },
  { path: '/office/*', allow: { networks: ['203.0.113.0/24'] } },
  { path: '/here/*', allow: { networks: [`${stranger}/32`] } },
  { allow: 'signedIn' },
]

export function cookieHeader(browser: Browser, origin: string): string {
  const header = browser.cookies.header(new URL(origin))
  if (header === undefined) throw new Error('the browser has no cookie')
  return header
}

/** The certificate of the tests; all gateways here end TLS, as they do in life. */
function certificateIn(folder: string) {
  const read = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../proxy/certificates/${name}`, import.meta.url)), 'utf8')
  const [certificate, key] = [read('server.pem'), read('server.key.pem')]
  const places = {
    certificate: path.join(folder, 'tls.crt'),
    key: path.join(folder, 'tls.key'),
    bundle: path.join(folder, 'tls.pem'),
  }
  writeFileSync(places.certificate, certificate)
  writeFileSync(places.key, key)
  writeFileSync(places.bundle, certificate + key)
  return places
}
