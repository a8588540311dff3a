import type { ConfigError, ConfigProblem } from '../../config/problems.ts'
import type { Finding } from './finding.ts'

/** The problems of a file that could not be taken, as findings. @param shown its name as messages have it */
export const configFindings = (shown: string, { problems }: ConfigError): Finding[] =>
  problems.map((problem) => findingOf(shown, problem))

function findingOf(shown: string, { path, line, message, hint }: ConfigProblem): Finding {
  const place = line === undefined ? shown : `${shown}:${line}`
  const isSecret = /(^|\.)clientSecret(\.|$)/.test(path)
  return {
    name: isSecret ? 'client-secret-unusable' : 'config',
    severity: 'error',
    place,
    cause: path === '' ? message : `${path}: ${message}`,
    fix: hint === '' ? '`doorward check` shows all of the file' : hint,
  }
}
