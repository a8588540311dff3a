/** The connections to the shared store, as Prometheus reads them. */
import { Counter, Gauge, type Registry } from 'prom-client'

/** One connection; `storage/link-figures.ts` fits. */
export interface StoreLinkFigures {
  readonly connected: boolean
  readonly connects: number
  readonly commands: number
  readonly failures: number
  readonly seconds: number
}

export type ReadStoreLinks = () => Readonly<Record<string, StoreLinkFigures>>

const counters = [
  ['connects', 'connects_total', 'Times a connection to the store came to stand'],
  ['commands', 'commands_total', 'Commands sent to the store'],
  ['failures', 'failures_total', 'Commands to the store without a useful reply in time'],
  ['seconds', 'command_seconds_total', 'Seconds spent waiting for replies of the store'],
] as const

/** @returns sets what is read at each scrape; without it, or with memory alone, there are no such lines */
export function storeMetrics(register: Registry): (read: ReadStoreLinks) => void {
  let links: ReadStoreLinks = () => ({})
  const about = { labelNames: ['link'] as const, registers: [register] }
  new Gauge({
    ...about,
    name: 'doorward_store_connected',
    help: '1 while the connection to the store stands',
    collect() {
      this.reset()
      for (const [link, { connected }] of Object.entries(links())) this.set({ link }, connected ? 1 : 0)
    },
  })
  for (const [figure, name, help] of counters) {
    new Counter({
      ...about,
      name: `doorward_store_${name}`,
      help,
      collect() {
        this.reset()
        for (const [link, figures] of Object.entries(links())) this.inc({ link }, figures[figure])
      },
    })
  }
  return (read) => {
    links = read
  }
}
