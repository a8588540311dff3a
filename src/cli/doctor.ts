import { ConfigError, type KeyPath } from '../config/problems.ts'
import { parseDuration } from '../config/quantities.ts'
import { readConfigFile } from '../config/read.ts'
import { Refused } from '../config/refused.ts'
import { valueAt } from '../config/tree.ts'
import { systemClock } from '../core/clock.ts'
import { type ConfigFile, findConfigFile, readConfig } from './config-file.ts'
import { readAsked } from './doctor/asked.ts'
import { configFindings } from './doctor/config-findings.ts'
import type { Asked } from './doctor/examination.ts'
import { examinations } from './doctor/examinations.ts'
import type { Finding } from './doctor/finding.ts'
import { isHealthy, printFindings, sorted } from './doctor/report.ts'
import { runExaminations } from './doctor/run.ts'
import { type Call, type ExitCode, UsageError } from './world.ts'

/** `doorward doctor`: looks at everything around the gateway, changes nothing, and names what is wrong. */
export async function doctor(call: Call): Promise<ExitCode> {
  const { out, options } = call
  const file = findConfigFile(call)
  const deadline = readTimeout(options.text('timeout') ?? '60s')
  const asked = await readAsked(call)
  const findings = await examine(call, file, asked, deadline)
  const strict = options.flag('strict')
  const healthy = isHealthy(findings, strict)
  if (options.flag('json')) out.json({ file: file.shown, healthy, findings: sorted(findings) })
  else printFindings({ file: file.shown, strict, option: fileOption(call) }, findings, out)
  return healthy ? 0 : 1
}

function fileOption({ options }: Call): string {
  const written = options.text('config')
  return written === undefined ? '' : ` --config ${written}`
}

/** @returns milliseconds */
function readTimeout(written: string): number {
  const timeout = parseDuration(written)
  if (!(timeout instanceof Refused) && timeout > 0) return timeout
  const reason = timeout instanceof Refused ? timeout.reason : 'is no time at all'
  throw new UsageError(`--timeout: ${reason}`, 'write a number with its unit: 30s, 2m')
}

async function examine(call: Call, file: ConfigFile, asked: Asked, deadline: number): Promise<readonly Finding[]> {
  const config = configOrFindings(call, file)
  if (Array.isArray(config)) return config
  const { out, world } = call
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  for (const name of ['SIGINT', 'SIGTERM'] as const) world.signals.on(name, stop)
  const timer = setTimeout(stop, deadline)
  let done = () => {}
  try {
    const { content } = readConfigFile(file.path, world.env)
    const isWritten = (place: KeyPath) => valueAt(content, place) !== undefined
    const patient = { config, isWritten, clock: systemClock, signal: stopped.signal, asked }
    return await runExaminations(examinations, patient, (atWork) => {
      done()
      done = atWork.length === 0 ? () => {} : out.progress(`looking at ${atWork.join(', ')}`)
    })
  } finally {
    done()
    clearTimeout(timer)
    for (const name of ['SIGINT', 'SIGTERM'] as const) world.signals.off(name, stop)
  }
}

/** A file that does not hold is all there is to tell: nothing else could be looked at. */
function configOrFindings({ world }: Call, file: ConfigFile) {
  try {
    return readConfig(file, world).config
  } catch (error) {
    if (error instanceof ConfigError) return configFindings(file.shown, error)
    throw error
  }
}
