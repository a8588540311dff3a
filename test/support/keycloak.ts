/** A real Keycloak for tests: one server for the whole run (keycloak-keeper.ts), realms by its Admin API. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { administrator, isAlive, keeperFiles, readPid } from './keycloak-keeper.ts'
import { requirePart } from './real-part.ts'

export interface Keycloak {
  /** Without a slash at the end; the host is `localhost`. */
  readonly url: string
  /** A call of the Admin REST API, below `/admin`. @throws Error unless it answers 2xx. @returns the JSON, or Location */
  admin(method: string, address: string, body?: unknown): Promise<unknown>
}

/** `26.7.0` */
export async function versionOf(keycloak: Keycloak): Promise<string> {
  const told = (await keycloak.admin('GET', '/serverinfo')) as { systemInfo: { version: string } }
  return told.systemInfo.version
}

/** Milliseconds a start may take, the first build of a fresh distribution included. */
const patience = 150_000

/** The server of this run, started where nobody did yet; undefined, and the test skipped, without a Keycloak. */
export async function openKeycloak(t: TestContext): Promise<Keycloak | undefined> {
  const program = requirePart(t, 'keycloak')
  return program === undefined ? undefined : keycloakAt(await joinKeeper(path.dirname(path.dirname(program))))
}

/** Says that this run wants the server, then waits for its address; starts the keeper where there is none. */
async function joinKeeper(home: string): Promise<string> {
  const id = createHash('sha256').update(home).digest('hex').slice(0, 8)
  const folder = path.join(tmpdir(), `doorward-keycloak-${process.getuid?.() ?? 0}-${id}`)
  const files = keeperFiles(folder)
  mkdirSync(files.runs, { recursive: true, mode: 0o700 })
  writeFileSync(path.join(files.runs, String(runOf(process.env))), '')

  let started = 0
  for (const end = Date.now() + patience; Date.now() < end; await pause(200)) {
    const keeper = readPid(files.lock)
    if (keeper !== undefined && isAlive(keeper)) {
      if (existsSync(files.address)) return readFileSync(files.address, 'utf8')
      continue
    }
    if (started === 2) break
    started++
    // Only what a dead keeper left: another process may be starting one at this moment.
    if (keeper !== undefined) for (const file of [files.address, files.lock]) rmSync(file, { force: true })
    spawnKeeper(home, folder)
    await pause(1000)
  }
  const last = existsSync(files.log) ? readFileSync(files.log, 'utf8').split('\n').slice(-8).join('\n') : ''
  throw new Error(`Keycloak did not start; its log is ${files.log} and ends so:\n${last}`)
}

/** Pid of what the server has to outlive: `npm test`, or a runner that gives each file a process, or this process. */
function runOf({ DOORWARD_TEST_RUN: run, NODE_TEST_CONTEXT: context }: NodeJS.ProcessEnv): number {
  if (run !== undefined) return Number(run)
  return context === undefined ? process.pid : process.ppid
}

function spawnKeeper(home: string, folder: string): void {
  const script = fileURLToPath(new URL('keycloak-keeper.ts', import.meta.url))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  spawn(process.execPath, [script, home, folder], { detached: true, stdio: 'ignore', env }).unref()
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

function keycloakAt(url: string): Keycloak {
  let token: { text: string; until: number } | undefined
  const tokenNow = async (): Promise<string> => {
    if (token === undefined || Date.now() > token.until) {
      const form = { grant_type: 'password', client_id: 'admin-cli', ...administrator }
      const body = new URLSearchParams(form)
      const answer = await fetch(`${url}/realms/master/protocol/openid-connect/token`, { method: 'POST', body })
      const { access_token } = (await answer.json()) as { access_token: string }
      // Sixty seconds of life, at the administrator's console too.
      token = { text: access_token, until: Date.now() + 40_000 }
    }
    return token.text
  }
  return {
    url,
    async admin(method, address, body) {
      const answer = await fetch(`${url}/admin${address}`, {
        method,
        headers: { authorization: `Bearer ${await tokenNow()}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${address}: ${answer.status} ${text}`)
      return text === '' ? answer.headers.get('location') : JSON.parse(text)
    },
  }
}
