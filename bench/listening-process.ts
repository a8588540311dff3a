import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** In /proc/net/tcp, the state of a socket that listens. */
const listening = '0A'

/** The process that listens on a port of this machine; undefined where it is another user's, or there is no /proc. */
export function listeningProcess(port: number): number | undefined {
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningSockets(table, port)))
  if (sockets.size === 0) return undefined
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const owner = pids.find((pid) => openFiles(pid).some((file) => sockets.has(file)))
  return owner === undefined ? undefined : Number(owner)
}

function listeningSockets(table: string, port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return readOrNothing(() => readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === listening)
    .map((fields) => `socket:[${fields[9]}]`)
}

const openFiles = (pid: string): readonly string[] =>
  readOrNothing(() => readdirSync(`/proc/${pid}/fd`)).flatMap((fd) =>
    readOrNothing(() => [readlinkSync(`/proc/${pid}/fd/${fd}`)]),
  )

/** Processes and their files go while we look. */
function readOrNothing(read: () => readonly string[]): readonly string[] {
  try {
    return read()
  } catch {
    return []
  }
}
