/** Requirements on how and when somebody signed in (step-up), and from where the request comes. */
import { parseNetworks, readAddress } from '../core/addresses.ts'
import { type Check, choice } from './check.ts'

/** Seconds that the provider's clock may be ahead of ours; a time further ahead proves nothing. */
const clockLead = 30

export function acrCheck(values: readonly string[]): Check {
  const wanted = new Set(values)
  return {
    unmet: {
      requirement: 'acr',
      wanted: choice('sign in with the assurance level', 'sign in with one of the assurance levels', values),
    },
    rule: values.join(', '),
    dependsOn: 'person',
    judge: ({ acr }) => (acr === undefined ? undefined : wanted.has(acr)),
    seen: ({ acr }) => acr ?? 'the provider did not say',
  }
}

/**
 * OpenID Connect Core 3.1.2.1 `max_age`, with no tolerance added: the rule of the file is the rule.
 * @param maxAge seconds
 */
export function maxAgeCheck(maxAge: number): Check {
  const ageOf = (authTime: number, now: number) => now / 1000 - authTime
  return {
    unmet: { requirement: 'maxAge', wanted: `have signed in within the last ${duration(maxAge)}` },
    rule: `${maxAge} seconds`,
    dependsOn: 'request',
    judge({ authTime }, { now }) {
      if (authTime === undefined) return undefined
      const age = ageOf(authTime, now)
      return age >= -clockLead ? age <= maxAge : undefined
    },
    seen: ({ authTime }, { now }) =>
      authTime === undefined
        ? 'the provider did not say when (auth_time)'
        : `${Math.round(ageOf(authTime, now))} seconds ago`,
  }
}

function duration(seconds: number): string {
  if (seconds >= 120 && seconds % 60 === 0) return `${seconds / 60} minutes`
  return seconds === 1 ? 'second' : `${seconds} seconds`
}

export function networksCheck(cidrs: readonly string[]): Check {
  const networks = parseNetworks(cidrs)
  return {
    unmet: { requirement: 'networks', wanted: 'come from one of the networks that this site allows' },
    rule: cidrs.join(', '),
    dependsOn: 'request',
    judge: (_identity, { clientAddress }) =>
      readAddress(clientAddress) === undefined ? undefined : networks.has(clientAddress),
    seen: (_identity, { clientAddress }) => clientAddress || 'no address',
  }
}
