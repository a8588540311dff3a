/** Plain counters for the hot path; prom-client, which hashes labels at every step, sees them at a scrape only. */

export interface VerdictCounts {
  /** The counter of one route; the same for the same name, so that a reload goes on counting. */
  forRoute(name: string): (verdict: string, reason: string | undefined) => void
  read(): Iterable<VerdictCount>
}

export interface VerdictCount {
  readonly route: string
  readonly verdict: string
  /** Empty for `allow`. */
  readonly reason: string
  readonly count: number
}

type Cell = { count: number }

export function createVerdictCounts(): VerdictCounts {
  const routes = new Map<string, Map<string, Map<string, Cell>>>()
  return {
    forRoute(name) {
      const verdicts = entry(routes, name, () => new Map<string, Map<string, Cell>>())
      return (verdict, reason = '') => {
        const reasons = entry(verdicts, verdict, () => new Map<string, Cell>())
        entry(reasons, reason, () => ({ count: 0 })).count++
      }
    },
    *read() {
      for (const [route, verdicts] of routes) {
        for (const [verdict, reasons] of verdicts) {
          for (const [reason, { count }] of reasons) yield { route, verdict, reason, count }
        }
      }
    },
  }
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
