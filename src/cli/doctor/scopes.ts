/** Which scopes the client may ask for: the ones of the file, and those every Keycloak client has from the start. */
import { probeAuthorization } from './authorization-probe.ts'
import type { Finding } from './finding.ts'
import type { ProviderVisit } from './provider-visit.ts'

/** What Keycloak gives a new client; a realm import with a list of its own loses them (all of them since 25). */
const builtIn = ['profile', 'email', 'roles', 'web-origins', 'basic', 'acr'] as const

/** One question where all is well; one per scope otherwise, since Keycloak does not name the bad one. */
export async function scopeFindings(visit: ProviderVisit, redirectUri: string): Promise<readonly Finding[]> {
  const { provider } = visit
  const wanted = provider.scopes.filter((scope) => scope !== 'openid')
  const all = provider.kind === 'keycloak' ? [...new Set([...wanted, ...builtIn])] : wanted
  if (!(await isRefused(visit, redirectUri, all))) return []
  const answers = await Promise.all(all.map((scope) => isRefused(visit, redirectUri, [scope])))
  const refused = all.filter((_, index) => answers[index])
  const lost = provider.kind === 'keycloak' ? refused.filter((scope) => builtIn.some((name) => name === scope)) : []
  // Its absence alone is a choice: allowed origins are for scripts in browsers, which hold no tokens here.
  const isLoss = lost.some((scope) => scope !== 'web-origins')
  return [
    ...(isLoss ? [clientScopesLost(visit, lost)] : []),
    ...refused.filter((scope) => !lost.includes(scope)).map((scope) => scopeRefused(visit, scope)),
  ]
}

async function isRefused(visit: ProviderVisit, redirectUri: string, scopes: readonly string[]): Promise<boolean> {
  const answer = await probeAuthorization(visit, { redirectUri, scopes })
  return answer.kind === 'error' && answer.error === 'invalid_scope'
}

const consequences: Readonly<Record<string, string>> = {
  profile: 'names',
  email: 'e-mail addresses',
  roles: 'roles and audiences',
  'web-origins': 'allowed origins',
  basic: '`sub` of access tokens',
  acr: 'how strongly people signed in',
}

/** @param lost names of built-in scopes the client does not have */
export function clientScopesLost({ provider, key }: ProviderVisit, lost: readonly string[]): Finding {
  const breaks = lost.some((scope) => provider.scopes.includes(scope) || scope === 'basic' || scope === 'roles')
  const without = lost.map((scope) => consequences[scope] ?? scope).join(', ')
  return {
    name: 'client-scopes-lost',
    severity: breaks ? 'error' : 'warning',
    place: key('clientId'),
    cause: `the client ${provider.clientId} lacks the built-in client scopes ${lost.join(', ')}: tokens come without ${without}`,
    fix: 'add them to the client as default scopes; where the realm has lost them too, import it without a `clientScopes` list',
  }
}

function scopeRefused({ provider, key }: ProviderVisit, scope: string): Finding {
  const at = { severity: 'error', place: key('scopes') } as const
  if (scope === 'offline_access') return offlineAccessRefused(key('scopes'), 'the client does not have that scope')
  const cause = `the client ${provider.clientId} may not ask for the scope “${scope}”, so every login fails`
  return {
    ...at,
    name: 'scope-refused',
    cause,
    fix: `add it to the client as optional scope, or remove it from ${key('scopes')}`,
  }
}

/** Rarely needed: a plain login gives a refresh token too. */
export const offlineAccessRefused = (place: string, why: string): Finding => ({
  name: 'offline-access-refused',
  severity: 'error',
  place,
  cause: `offline_access is asked for, and ${why}`,
  fix: 'remove it: sessions are renewed without it. To keep it, give the client the scope and people the role offline_access',
})
