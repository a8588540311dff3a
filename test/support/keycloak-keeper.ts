/**
 * Keeps one Keycloak for a whole test run: a process of its own, started by the first test file that wants one
 * and gone with the last run that said so. Test files find it by the files of its folder (keycloak.ts).
 */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** Everything in the folder of a keeper. */
export const keeperFiles = (folder: string) => ({
  /** Pid of the keeper; made exclusively, so that there is one. */
  lock: path.join(folder, 'keeper.pid'),
  /** Address of the server once it answers. */
  address: path.join(folder, 'address'),
  /** One empty file per run that wants the server, named by the pid of its process. */
  runs: path.join(folder, 'runs'),
  log: path.join(folder, 'keycloak.log'),
})

/** The administrator of the master realm; the server is on loopback and gone with the run. */
export const administrator = { username: 'admin', password: 'admin-of-a-test-run' }

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

if (import.meta.main) {
  const [home = '', folder = ''] = process.argv.slice(2)
  await keep(home, folder)
}

async function keep(home: string, folder: string): Promise<void> {
  const files = keeperFiles(folder)
  mkdirSync(files.runs, { recursive: true })
  try {
    writeFileSync(files.lock, String(process.pid), { flag: 'wx' })
  } catch {
    return
  }
  const server = await startKeycloak(home, files.log)
  const stop = () => {
    server.stop()
    for (const file of [files.address, files.lock]) rmSync(file, { force: true })
    process.exit()
  }
  process.once('SIGTERM', stop)
  server.exited.then(stop, stop)
  while (!(await server.answers())) await sleep(250)
  for (;;) {
    writeFileSync(files.address, server.url)
    while (hasRuns(files.runs)) await sleep(1000)
    // A run that comes now writes its file before it looks for the address, so one of us sees the other.
    rmSync(files.address, { force: true })
    if (!hasRuns(files.runs)) stop()
  }
}

function hasRuns(folder: string): boolean {
  const gone = readdirSync(folder).filter((pid) => !isAlive(Number(pid)))
  for (const pid of gone) rmSync(path.join(folder, pid), { force: true })
  return readdirSync(folder).length > 0
}

/** `start-dev` with a database in memory: nothing is left of a run, and no run sees another's realms. */
async function startKeycloak(home: string, logFile: string) {
  const port = await freePort()
  const log = openSync(logFile, 'w')
  const options = ['--db=dev-mem', '--http-host=127.0.0.1', `--http-port=${port}`, '--log-level=info']
  const child = spawn(path.join(home, 'bin/kc.sh'), ['start-dev', ...options], {
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      KC_BOOTSTRAP_ADMIN_USERNAME: administrator.username,
      KC_BOOTSTRAP_ADMIN_PASSWORD: administrator.password,
      // A server of minutes: the second compiler costs more than it gives.
      JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
      JAVA_OPTS_KC_HEAP: '-Xms128m -Xmx640m',
    },
  })
  closeSync(log)
  const url = `http://localhost:${port}`
  return {
    url,
    exited: new Promise<void>((resolve) => child.once('exit', () => resolve())),
    async answers(): Promise<boolean> {
      try {
        return (await fetch(`${url}/realms/master`)).ok
      } catch {
        return false
      }
    },
    // Its whole group: kc.sh is a shell around Java.
    stop: () => void (child.pid !== undefined && killGroup(child.pid)),
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

export const readPid = (file: string): number | undefined => {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
