import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startIdp } from '../src/dev/idp.ts'
import { createBrowser, signIn } from '../test/support/browser.ts'
import { type Child, startChild } from './child.ts'

export interface DoorwardUnderTest {
  readonly child: Child
  readonly publicUrl: string
  readonly forwardAuthUrl: string
  /** Cookie header of a signed-in browser. */
  readonly cookie: string
  /** An access token for the bearer route. */
  readonly token: string
}

export interface BenchWorld {
  open(log: boolean): Promise<DoorwardUnderTest>
  close(): Promise<void>
}

const [userName, audience] = ['ada', 'bench-api']

/** Doorward with the embedded provider, signed in once like a person, so that what is loaded is real. */
export async function startBenchWorld(upstream: string, core: number): Promise<BenchWorld> {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-bench-'))
  const idp = await startIdp({ host: 'localhost' })
  idp.addClient({ clientId: 'api', audience, clientSecret: 'bench-secret-bench-secret-bench-1', machine: true })
  const started: Child[] = []

  async function open(log: boolean): Promise<DoorwardUnderTest> {
    const port = await freePort()
    const publicUrl = `http://127.0.0.1:${port}`
    const clientId = `bench-${port}`
    const clientSecret = 'bench-secret-bench-secret-bench-0'
    idp.addClient({ clientId, clientSecret, redirectUris: [`${publicUrl}/_doorward/callback`] })
    const file = path.join(folder, `${clientId}.yaml`)
    writeFileSync(file, configText({ publicUrl, port, issuer: idp.issuer, clientId, clientSecret, upstream, log }))
    const child = await startChild('./targets/doorward.ts', [file], core)
    started.push(child)
    const browser = createBrowser()
    const page = await signIn(browser, await browser.navigate(`${publicUrl}/`), userName)
    if (page.status !== 200) throw new Error(`the bench could not sign in: ${page.status}`)
    const cookie = browser.cookies.header(new URL(publicUrl)) ?? ''
    const token = await idp.mintAccessToken(userName, { audience, expiresIn: 36_000 })
    return { child, publicUrl, forwardAuthUrl: child.message.forwardAuth!, cookie, token }
  }

  return {
    open,
    async close() {
      await Promise.all(started.map((child) => child.stop()))
      await idp.close()
      rmSync(folder, { recursive: true })
    },
  }
}

interface ConfigParts {
  readonly publicUrl: string
  readonly port: number
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly upstream: string
  readonly log: boolean
}

const configText = (parts: ConfigParts): string => `\
version: 1
publicUrl: ${parts.publicUrl}
listen: 127.0.0.1:${parts.port}
forwardAuth: 127.0.0.1:0
operations: off
trustedProxies: [127.0.0.1/32]
provider:
  kind: oidc
  issuer: ${parts.issuer}
  clientId: ${parts.clientId}
  clientSecret: ${parts.clientSecret}
bearer:
  - issuer: ${parts.issuer}
    audience: ${audience}
log: { level: warn, access: ${parts.log} }
routes:
  - path: /admin/*
    allow: { groups: [/admins] }
    upstream: ${parts.upstream}
  - path: /api/*
    allow: signedIn
    accept: [bearer]
    upstream: ${parts.upstream}
  - allow: signedIn
    upstream: ${parts.upstream}
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
