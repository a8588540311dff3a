/** Whether the clocks of provider and gateway agree: tokens carry times. */
import { clockTolerance } from '../../oidc/id-token.ts'
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** Seconds; the Date header has no fractions, and the way takes its time. */
const noticeable = 5

/** @param before when the answer was asked for, milliseconds since the epoch */
export function clockFindings({ clock, key }: ProviderVisit, response: Response, before: number): readonly Finding[] {
  const told = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(told)) return []
  const after = clock.now()
  // Right where it was told between asking and answering, to the second.
  const ahead = told > after ? told - after : told + 1000 < before ? told + 1000 - before : 0
  const seconds = Math.round(ahead / 1000)
  if (Math.abs(seconds) < noticeable) return []
  const fatal = Math.abs(seconds) > clockTolerance
  return [
    {
      name: 'clock-skew',
      severity: fatal ? 'error' : 'warning',
      place: key('issuer'),
      cause: `the provider's clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the one here; more than ${clockTolerance} s and tokens are refused`,
      fix: 'let both machines follow the same time service (chrony, systemd-timesyncd)',
    },
  ]
}
