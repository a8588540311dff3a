import type { Config } from '../config/config.ts'
import type { LoadOptions } from '../config/load.ts'
import type { Resolved } from '../config/resolve.ts'
import { type Watch, type WatchOptions, watchFiles } from '../config/watch.ts'
import type { Process } from './process.ts'

export interface ServerSource {
  /** Reads the configuration anew. @throws ConfigError, and then nothing changes */
  load(options: Pick<LoadOptions, 'ephemeralSecret'>): Resolved | Promise<Resolved>
}

/** Takes a changed configuration over while requests run. One at a time: the file read last is the one that stays. */
export interface Reloads {
  /**
   * Asked for twice while one waits for its turn, that one is both; and a change that was taken over a moment ago needs
   * nobody's signal any more. False where the new configuration is bad, or the process is stopping: then everything stays as it was. */
  reload(): Promise<boolean>
  close(): Promise<void>
}

/** Milliseconds the watch of an old list of files goes on, until the new one has had its first look. */
const overlap = 3000
/** Milliseconds within which a signal means the change that the watch has found already. */
const sameChange = 3000

/** @param timing undefined: the files are not watched */
export function openReloads(running: Process, source: ServerSource, timing: WatchOptions | undefined): Reloads {
  const files = () => running.parts.serving().config.files
  const follow = (): Watch | undefined => timing && watchFiles(files(), onChange, timing)
  const watches = new Set<Watch>()
  let watched = files()
  let watch = follow()
  if (watch !== undefined) watches.add(watch)
  let closed = false
  /** The watch has told of a change that no attempt has begun to read. */
  let told = false
  let takenAt = Number.NEGATIVE_INFINITY
  let last = Promise.resolve(true)
  /** The attempt that has not begun: it will read what is there when it does. */
  let waiting: Promise<boolean> | undefined

  function onChange(): void {
    told = true
    void reload()
  }

  function reload(): Promise<boolean> {
    waiting ??= last.then(() => {
      waiting = undefined
      return !closed && attempt()
    })
    last = waiting
    return waiting
  }

  async function attempt(): Promise<boolean> {
    if (!(await isNew()) && performance.now() - takenAt < sameChange) return true
    takenAt = Number.NEGATIVE_INFINITY
    try {
      await takeNext(running, source)
    } catch (error) {
      running.refuseReload(error)
      return false
    }
    takenAt = performance.now()
    if (files().join('\n') !== watched.join('\n')) followOthers()
    return true
  }

  /** Whether anything changed since the files were read last. Unknown counts as yes: they are not watched. */
  async function isNew(): Promise<boolean> {
    const wasTold = told
    told = false
    const found = await Promise.all(Array.from(watches, (one) => one.settle()))
    return wasTold || found.length === 0 || found.includes(true)
  }

  /** The same files keep their watch: it knows what was read, and sees what changed while it was. */
  function followOthers(): void {
    const old = watch
    watched = files()
    watch = follow()
    if (old === undefined || watch === undefined) return
    watches.add(watch)
    setTimeout(() => {
      old.close()
      watches.delete(old)
    }, overlap).unref()
  }

  return {
    reload,
    async close() {
      closed = true
      for (const one of watches) one.close()
      await last
    },
  }
}

async function takeNext(running: Process, source: ServerSource): Promise<void> {
  const before = running.parts.serving().config
  const [made] = before.session.secrets
  const { config: next } = await source.load(before.session.ephemeral && made ? { ephemeralSecret: made } : {})
  running.swap(keepingFixed(next, before))
  if ((before.tls === undefined) !== (next.tls === undefined)) {
    running.log.warn({ key: 'tls' }, 'tls came or went; it takes effect at the next start')
  }
  for (const key of fixedAtStart) {
    if (JSON.stringify(before[key]) === JSON.stringify(next[key])) continue
    running.log.warn({ key }, `${key} changed; it takes effect at the next start`)
  }
}

/** What a running process cannot take: its sockets are open, its log has begun. */
const fixedAtStart = [
  'listen',
  'forwardAuth',
  'extAuthz',
  'operations',
  'basePath',
  'compatibility',
  'limits',
  'log',
] as const

/** The old values go on, or people would be sent to pages that are not where the new file says. */
function keepingFixed(next: Config, before: Config): Config {
  const fixed = Object.fromEntries(fixedAtStart.map((key) => [key, before[key]]))
  // A renewed certificate is taken; whether there is one at all was decided when the socket was opened.
  const tls = before.tls && (next.tls ?? before.tls)
  return { ...next, ...fixed, tls }
}
