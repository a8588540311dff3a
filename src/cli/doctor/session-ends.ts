/** When Keycloak ends a session, compared with when the file does. */
import type { Finding } from './finding.ts'
import { secondsText } from './keycloak-findings.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** Seconds; undefined where it is not known, or never. */
export interface KeycloakEnds {
  /** Without a renewal. */
  readonly idle: number | undefined
  readonly max: number | undefined
  /** Of an access token: a request renews nothing while it is young. */
  readonly tokenLife: number | undefined
}

/**
 * A warning where the file asks for more than Keycloak gives. A note where it does not say, since a default of ours over
 * a default of theirs is nobody's fault; and where a request or two near the end will not be seen by Keycloak.
 */
export function sessionEndFindings(visit: ProviderVisit, { idle, max, tokenLife = 0 }: KeycloakEnds): Finding[] {
  const { refreshEvery = Number.POSITIVE_INFINITY } = visit.config.session
  const unnoticed = Math.min(tokenLife, refreshEvery / 1000)
  return [...endFinding(visit, ends.idle, idle, unnoticed), ...endFinding(visit, ends.max, max, 0)]
}

interface End {
  readonly name: 'sso-idle-short' | 'sso-max-short'
  readonly key: 'idle' | 'lifetime'
  readonly theirs: 'Idle' | 'Max'
  readonly after: string
}

const ends: Readonly<Record<'idle' | 'max', End>> = {
  idle: { name: 'sso-idle-short', key: 'idle', theirs: 'Idle', after: ' without a renewal' },
  max: { name: 'sso-max-short', key: 'lifetime', theirs: 'Max', after: '' },
}

function endFinding(visit: ProviderVisit, end: End, seconds: number | undefined, unnoticed: number): Finding[] {
  const { config, provider } = visit
  const { name, key, theirs, after } = end
  const ours = config.session[key] / 1000
  if (seconds === undefined || seconds >= ours + unnoticed) return []
  const isWritten = visit.isWritten(['session', key])
  const isFault = isWritten && seconds < ours
  const setting = provider.scopes.includes('offline_access') ? `Offline Session ${theirs}` : `SSO Session ${theirs}`
  const enough = secondsText(seconds > unnoticed + 60 ? wholeMinutes(seconds - unnoticed, Math.floor) : seconds)
  const asLong = secondsText(wholeMinutes(ours + unnoticed, Math.ceil))
  const both = `write \`session.${key}: ${enough}\`, or set ${setting} of ${provider.issuer} to ${asLong} or more`
  return [
    {
      name,
      severity: isFault ? 'warning' : 'note',
      place: `session.${key}`,
      cause: `Keycloak ends sessions after ${secondsText(seconds)}${after} (${setting}), and session.${key} is ${secondsText(ours)}${isWritten ? '' : ' where the file does not say'}: people ${isFault ? 'are signed out early' : 'may have to sign in again a little earlier'}`,
      fix: isFault ? both : `leave it so, or for one end in both places ${both}`,
    },
  ]
}

/** What a token has left is seldom a round number. */
const wholeMinutes = (seconds: number, round: (minutes: number) => number): number => round(seconds / 60) * 60
