/** What real tokens of a real person hold, and what is missing in them. */
import { type Claims, hasClaim } from '../../core/claims.ts'
import { readJwt } from '../../issuer/jwt.ts'
import { LoginFailure } from '../../oidc/failure.ts'
import type { Finding } from './finding.ts'
import { groupSpelling } from './groups-mapper.ts'
import { refreshTokenMissing, tokenLifeFindings } from './keycloak-findings.ts'
import { type SignedIn, SignInRefused } from './keycloak-sign-in.ts'
import type { ProviderVisit } from './provider-visit.ts'
import { lightweight } from './roles-in-tokens.ts'
import { routesNeed } from './route-needs.ts'
import { clientScopesLost, offlineAccessRefused } from './scopes.ts'
import { sessionEndFindings } from './session-ends.ts'
import type { SignIns } from './sign-ins.ts'

/** @throws ProviderUnreachable */
export async function examinePerson(visit: ProviderVisit, signIns: SignIns): Promise<readonly Finding[]> {
  try {
    const signedIn = await signIns.at(visit.provider.name)
    return looks.flatMap((look) => look(visit, signedIn))
  } catch (error) {
    if (error instanceof SignInRefused) return [personUnseen(visit, error.message)]
    if (error instanceof LoginFailure) return [loginFailed(visit, error)]
    throw error
  }
}

/** What the doctor was told to do, and could not. */
export const personBarred = (visit: ProviderVisit): Finding => ({
  ...personUnseen(visit, 'nobody can sign in as things are'),
  fix: 'repair what is said of the client first, then run it again: more may show then',
})

const personUnseen = ({ provider, key }: ProviderVisit, cause: string): Finding => ({
  name: 'person-unseen',
  severity: 'unseen',
  place: key('scopes'),
  cause: `${cause}, so what tokens hold was not looked at: groups, e-mail, how long they live`,
  fix:
    provider.kind === 'keycloak'
      ? '`--user NAME` signs somebody in who needs no second factor; their password in DOORWARD_DOCTOR_PASSWORD'
      : 'sign in with a browser, and look at the page `session` below basePath',
})

/** Keycloak's word for a refused offline_access is no OAuth code. */
function loginFailed({ key }: ProviderVisit, { message }: LoginFailure): Finding {
  if (/not_allowed/.test(message)) return offlineAccessRefused(key('scopes'), 'Keycloak answers “not_allowed”')
  const fix = /aud is not/.test(message)
    ? 'turn “Add to ID token” off in the audience mapper of the client: an ID token is for its client alone'
    : 'the log of Keycloak knows more; nobody can sign in before this is repaired'
  return { name: 'sign-in-failed', severity: 'error', place: key('issuer'), cause: message, fix }
}

type Look = (visit: ProviderVisit, signedIn: SignedIn) => readonly Finding[]

const looks: readonly Look[] = [lookAtGroups, lookAtEmail, lookAtSubject, lookAtRefreshToken, lookAtLifetimes]

const sourcesIn = ({ sources }: SignedIn) =>
  [sources.idToken, sources.userinfo, sources.accessToken].filter((source) => source !== undefined)

/** Who is in no group gets no claim either, so its absence alone proves nothing; an administrator sees the mapper. */
function lookAtGroups(visit: ProviderVisit, signedIn: SignedIn): readonly Finding[] {
  const { config, provider, asked, key } = visit
  if (!routesNeed(config, 'groups') || asked.keycloakAdmin !== undefined) return []
  if (sourcesIn(signedIn).some((source) => hasClaim(source, provider.groupsClaim)))
    return groupSpelling(visit, signedIn.proof.identity.groups)
  const username = asked.person?.username
  const cause = `no token of ${username} holds the claim “${provider.groupsClaim}”: ${username} is in no group, or its mapper is missing`
  const fix = 'sign in somebody who is in a group, or name an administrator'
  return [{ name: 'groups-unseen', severity: 'unseen', place: key('groupsClaim'), cause, fix }]
}

function lookAtEmail(visit: ProviderVisit, signedIn: SignedIn): readonly Finding[] {
  const { config, provider, asked } = visit
  if (!provider.scopes.includes('email') || signedIn.proof.identity.email !== undefined) return []
  const severity = routesNeed(config, 'emails') ? 'error' : 'warning'
  const username = asked.person?.username
  const at = { severity, place: `${username} at ${provider.issuer}` } as const
  if (sourcesIn(signedIn).some((source) => hasClaim(source, 'email'))) {
    const cause = `the e-mail address of ${username} is not verified, so it does not count`
    const fix = `let people verify theirs, or write \`trustUnverifiedEmail: true\` where nobody can type in their own`
    return [{ ...at, name: 'email-unverified', cause, fix }]
  }
  const cause = `no token says an e-mail address of ${username}`
  const fix = 'give the person one; where others have theirs missing too, give the client the scope email'
  return [{ ...at, name: 'email-missing', cause, fix }]
}

/** Since Keycloak 25 the scope `basic` brings it; without, no role of an access token counts. */
function lookAtSubject(visit: ProviderVisit, { proof }: SignedIn): readonly Finding[] {
  const claims = readJwt(proof.tokens.accessToken ?? '')?.payload
  if (claims !== undefined && isLightweight(claims))
    return routesNeed(visit.config, 'roles') && !hasRoles(proof) ? [lightweight(visit)] : []
  return claims === undefined || hasClaim(claims, 'sub') ? [] : [clientScopesLost(visit, ['basic'])]
}

/**
 * It has no subject by design. Later versions of Keycloak begin its ID so; 26.0 does not, where it is told by what the scope `basic`
 * has nothing to do with, and is missing all the same. Where all scopes are lost, asking for them tells.
 */
const isLightweight = (claims: Claims): boolean =>
  (typeof claims.jti === 'string' && claims.jti.startsWith('onlt')) ||
  ['sub', 'preferred_username', 'email', 'realm_access', 'resource_access'].every((name) => !hasClaim(claims, name))

const hasRoles = ({ identity: { realmRoles, clientRoles } }: SignedIn['proof']): boolean =>
  realmRoles.length > 0 || Object.values(clientRoles).some((roles) => roles.length > 0)

function lookAtRefreshToken(visit: ProviderVisit, { proof }: SignedIn): readonly Finding[] {
  return proof.tokens.refreshToken === undefined ? [refreshTokenMissing(visit)] : []
}

/** A refresh token of Keycloak is a JWT; it ends with the session at Keycloak, whichever end comes first. */
function lookAtLifetimes(visit: ProviderVisit, { proof }: SignedIn): readonly Finding[] {
  const now = visit.clock.now()
  const { accessExpiresAt, refreshToken } = proof.tokens
  const tokenLife = accessExpiresAt === undefined ? undefined : Math.round((accessExpiresAt - now) / 1000)
  const life = tokenLife === undefined ? [] : tokenLifeFindings(visit, tokenLife)
  const claims = readJwt(refreshToken ?? '')?.payload
  if (typeof claims?.exp !== 'number' || typeof claims.iat !== 'number') return life
  return [...life, ...sessionEndFindings(visit, { idle: claims.exp - claims.iat, max: undefined, tokenLife })]
}
