/** A plan as people read it, and as programs do. Both are made of the same lines. */
import type { Output } from '../output.ts'
import { counted } from '../problem-report.ts'
import { type Plan, stepCount, toldChanges } from './plan.ts'

/** One step. Without `from` something comes to be; with it, something becomes something else. */
export interface PlanLine {
  readonly what: string
  readonly from?: string
  readonly to?: string
}

export function planLines(plan: Plan): PlanLine[] {
  return [
    ...(plan.createRealm ? [{ what: `realm ${plan.realm}` }] : []),
    ...plan.createScopes.map(({ name }) => ({ what: `built-in client scope ${name} of the realm, which lost it` })),
    ...(plan.createClient ? [{ what: `client ${plan.clientId}` }] : []),
    ...toldChanges(plan.changes).map(({ label, from, to }) => ({
      what: label,
      ...(from !== undefined && { from }),
      to,
    })),
    ...plan.mappers.map(({ kind, what, mapper }) => ({
      what: `mapper ${mapper.name}`,
      ...(kind === 'repair' && { from: 'broken' }),
      to: what,
    })),
    ...plan.scopes.map(({ name, kind, wasOptional }) => ({
      what: `client scope ${name} of the client`,
      ...(wasOptional && { from: 'optional' }),
      to: kind,
    })),
  ]
}

export interface ReportedPlan {
  /** The config file as the person named it. */
  readonly file: string
  readonly issuer: string
  readonly plan: Plan
  /** Where the client's secret will be written; undefined: nowhere. */
  readonly secretFile: string | undefined
}

export function planAsJson({ file, issuer, plan, secretFile }: ReportedPlan, applied: boolean) {
  const { realm, clientId, remarks, byHand } = plan
  const steps = planLines(plan)
  return { file, issuer, realm, clientId, steps, remarks, byHand, ...(secretFile && { secretFile }), applied }
}

export function printPlan({ file, issuer, plan, secretFile }: ReportedPlan, out: Output): void {
  const { paint } = out
  out.result(`${file}: client ${paint.strong(plan.clientId)} at ${issuer}`)
  const lines = planLines(plan)
  if (lines.length > 0 || secretFile !== undefined) out.result()
  for (const line of lines) out.result(`  ${lineText(line, out)}`)
  if (secretFile !== undefined) out.result(`  ${paint.good('+')} file ${secretFile} with the Client Secret`)
  out.result()
  for (const remark of plan.remarks) out.result(`${paint.quiet('remark:')} ${remark}`)
  for (const task of plan.byHand) out.result(`${paint.warning('by hand:')} ${task}`)
  if (plan.remarks.length + plan.byHand.length > 0) out.result()
  const count = stepCount(plan) + Number(secretFile !== undefined)
  out.result(count === 0 ? paint.good('nothing to do') : counted(count, 'change'))
}

function lineText({ what, from, to }: PlanLine, { paint }: Output): string {
  if (from !== undefined) return `${paint.warning('~')} ${what}: ${from} -> ${to}`
  return `${paint.good('+')} ${to === undefined ? what : `${what}: ${to}`}`
}
