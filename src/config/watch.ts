import { createHash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'

export interface WatchOptions {
  /** Milliseconds a change must rest before it is told: editors and Kubernetes write in several steps. */
  readonly debounce?: number
  /** Milliseconds between two looks. */
  readonly interval?: number
}

export interface Watch {
  /**
   * Looks at once, and takes all that changed for told: whoever reads the files now need not hear of it again.
   * @returns whether anything had changed
   */
  settle(): Promise<boolean>
  close(): void
}

/** Larger files are told apart by size and time alone. */
const largestHashed = 8 * 1024 * 1024

/**
 * Calls `onChange` with the paths whose contents changed, appeared or went away.
 *
 * It looks every second instead of asking the system to be told: notifications are lost on network and overlay
 * file systems, with Kubernetes' `..data` symlink swaps, and when an editor replaces the file.
 */
export function watchFiles(
  paths: readonly string[],
  onChange: (changed: readonly string[]) => void,
  options: WatchOptions = {},
): Watch {
  const { interval = 1000, debounce = interval } = options
  const seen = new Map<string, Look>()
  const changed = new Set<string>()
  let quietSince = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined

  const lookAtAll = async () => {
    for (const path of paths) {
      const before = seen.get(path)
      const now = await lookAt(path, before)
      seen.set(path, now)
      if (before === undefined || now.content === before.content) continue
      changed.add(path)
      quietSince = performance.now()
    }
  }
  // One look at a time: a slow one must not put back what a later one saw.
  let looking = Promise.resolve()
  const look = () => {
    looking = looking.then(lookAtAll)
    return looking
  }
  const tick = async () => {
    await look()
    if (closed) return
    if (changed.size > 0 && performance.now() - quietSince >= debounce) {
      const told = [...changed]
      changed.clear()
      onChange(told)
    }
    next()
  }
  const next = () => {
    if (!closed) timer = setTimeout(tick, interval).unref()
  }

  void tick()
  return {
    async settle() {
      await look()
      const found = changed.size > 0
      changed.clear()
      return found
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

interface Look {
  /** Where the file really is, with its inode, size and time: unchanged means not to read it again. */
  readonly identity: string
  /** Hash of the contents; `absent` where there is none to read. */
  readonly content: string
}

async function lookAt(path: string, before: Look | undefined): Promise<Look> {
  try {
    const target = await realpath(path)
    const { ino, size, mtimeNs } = await stat(target, { bigint: true })
    const identity = `${target} ${ino} ${size} ${mtimeNs}`
    if (before?.identity === identity) return before
    if (size > largestHashed) return { identity, content: identity }
    const content = createHash('sha256')
      .update(await readFile(target))
      .digest('base64')
    return { identity, content }
  } catch {
    return { identity: 'absent', content: 'absent' }
  }
}
