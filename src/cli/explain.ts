import type { Config } from '../config/config.ts'
import { GatewayError } from '../core/errors.ts'
import type { Target } from '../core/target.ts'
import { isOwnPage } from '../http/request-reading.ts'
import { findConfigFile, readConfig } from './config-file.ts'
import { printFinding, printRefused } from './explain-report.ts'
import { readPerson } from './explained-person.ts'
import { judge, readQuestion } from './explained-request.ts'
import { type Call, type ExitCode, UsageError } from './world.ts'

/** `doorward explain`: would this request be let in, and why. */
export async function explainRequest(call: Call): Promise<ExitCode> {
  const { out, options, world } = call
  const { config } = readConfig(findConfigFile(call), world)
  const json = options.flag('json')
  try {
    const question = readQuestion(options, config)
    refuseOwnPage(question.target, config)
    const person = await readPerson(call, config)
    const finding = await judge(question, person, config)
    printFinding({ question, person, finding }, out, json)
    return finding.decision.verdict.kind === 'allow' ? 0 : 1
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'ambiguous_path') throw error
    printRefused(error, out, json)
    return 1
  }
}

/** They are answered before any route is looked at. */
function refuseOwnPage(target: Target, { basePath }: Config): void {
  if (!isOwnPage(target, basePath)) return
  throw new UsageError(
    `${target.path}${target.query} is one of Doorward's own pages`,
    'they are open to everybody; routes do not apply to them',
  )
}
