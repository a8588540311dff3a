/** What people and programs read of an examination. */
import type { Output } from '../output.ts'
import { counted } from '../problem-report.ts'
import type { Finding, Severity } from './finding.ts'
import type { FindingName } from './finding-names.ts'
import { isCutOff } from './run.ts'

const order = ['error', 'warning', 'note', 'unseen'] as const satisfies readonly Severity[]

/** Errors first, then warnings, then notes, each in the order found. */
export function sorted(findings: readonly Finding[]): Finding[] {
  return order.flatMap((severity) => findings.filter((finding) => finding.severity === severity))
}

export const countOf = (findings: readonly Finding[], severity: Severity): number =>
  findings.filter((finding) => finding.severity === severity).length

/** Notes never count. @param strict warnings count as failure */
export const isHealthy = (findings: readonly Finding[], strict: boolean): boolean =>
  countOf(findings, 'error') === 0 && !findings.some(isCutOff) && !(strict && countOf(findings, 'warning') > 0)

export interface Report {
  /** The file as the call named it. */
  readonly file: string
  /** Warnings count as failure. */
  readonly strict: boolean
  /** What our other commands need to find the same file: ` --config FILE`, or nothing. */
  readonly option: string
}

export function printFindings({ file, strict, option }: Report, findings: readonly Finding[], out: Output): void {
  const told = sorted(findings)
  for (const finding of told.filter(({ severity }) => severity !== 'unseen')) printFinding(finding, option, out)
  printUnseen(
    told.filter(({ severity }) => severity === 'unseen'),
    out,
  )
  out.result(`${file}: ${summary(findings, strict, out)}`)
}

function printFinding({ name, severity, place, cause, fix, command }: Finding, option: string, out: Output): void {
  const { paint } = out
  const kind = { error: paint.bad, warning: paint.warning, note: paint.quiet, unseen: paint.quiet }[severity](severity)
  out.result(`${kind}: ${paint.strong(name)} at ${oneLine(place)}`)
  out.result(`  ${paint.quiet('cause:')} ${oneLine(cause)}`)
  out.result(`  ${paint.quiet('fix:')}   ${oneLine(fix)}`)
  if (command !== undefined) out.result(`  ${paint.quiet('or run:')} ${command}${option}`)
  out.result()
}

/** Causes quote what providers and gateways say: none of them writes a finding, or a fix, of its own. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ')

function printUnseen(unseen: readonly Finding[], out: Output): void {
  if (unseen.length === 0) return
  out.result(out.paint.strong('Not seen:'))
  for (const { name, place, cause, fix } of unseen) {
    out.result(`  ${name} at ${oneLine(place)}: ${oneLine(cause)}`)
    out.result(`    ${out.paint.quiet('to see it:')} ${oneLine(fix)}`)
  }
  out.result()
}

function summary(findings: readonly Finding[], strict: boolean, { paint }: Output): string {
  const [errors, warnings] = [countOf(findings, 'error'), countOf(findings, 'warning')]
  const [notes, unseen] = [countOf(findings, 'note'), countOf(findings, 'unseen')]
  const parts = [
    errors > 0 ? paint.bad(counted(errors, 'error')) : '',
    warnings > 0 ? paint.warning(`${counted(warnings, 'warning')}${strict ? ', which --strict refuses' : ''}`) : '',
    errors + warnings === 0
      ? findings.some(isCutOff)
        ? paint.bad('not done')
        : paint.good(unseen > 0 ? 'nothing wrong in what was seen' : 'nothing wrong')
      : '',
    notes > 0 ? counted(notes, 'note') : '',
    unseen > 0 ? `${counted(unseen, 'thing')} not seen` : '',
    findings.some(({ name }) => ofFile.has(name)) ? 'and nothing else was looked at before the file holds' : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

const ofFile: ReadonlySet<FindingName> = new Set<FindingName>(['config', 'client-secret-unusable'])
