import { readVersion } from '../telemetry/version.ts'
import type { Call, ExitCode } from './world.ts'

/** `doorward version [--json]`. */
export async function version({ out, options }: Call): Promise<ExitCode> {
  const own = readVersion()
  if (options.flag('json')) {
    out.json({ version: own, node: process.versions.node, platform: `${process.platform}-${process.arch}` })
  } else {
    out.result(`doorward ${own}`)
  }
  return 0
}
