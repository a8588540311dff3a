/** Problems and warnings of a config file, as `serve` and `check` print them. */
import type { ConfigError, ConfigProblem } from '../config/problems.ts'
import type { Output } from './output.ts'

/** `doorward.yaml:12: session.idle: "90" has no unit`, ready for editors that jump to file and line. */
export function sentenceOf(file: string, { path, line, message }: ConfigProblem): string {
  const place = line === undefined ? file : `${file}:${line}`
  return [place, path, message].filter((part) => part !== '').join(': ')
}

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Every problem, for a command that needed the file and cannot go on. */
export function reportConfigError({ file, problems }: ConfigError, out: Output): void {
  for (const problem of problems) out.fail(sentenceOf(file, problem), problem.hint)
  out.say(`${file}: ${counted(problems.length, 'problem')}, so nothing was done`)
}
