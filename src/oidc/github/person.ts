/** Makes an identity of what GitHub knows of a person. */
import type { ProviderConfig } from '../../config/config.ts'
import { type Claims, identityFrom } from '../../core/claims.ts'
import type { Identity } from '../../core/identity.ts'
import type { Log } from '../../core/log.ts'
import { refuseUninvited } from '../admission.ts'
import { LoginFailure } from '../failure.ts'
import type { GitHubApi } from './api.ts'

/** Of `GET /user`, what rules and headers may mention. Most of the rest is what people say of themselves. */
const claimsOfUser = ['login', 'id', 'node_id', 'html_url', 'avatar_url', 'company', 'location'] as const

/**
 * The number GitHub gave the account is its `sub`: names change hands there. Organisations and teams become groups:
 * `acme`, and `acme/devs` by the team's slug.
 *
 * @throws LoginFailure `not_allowed` where the file does not let this person in, or why GitHub could not be read
 */
export async function readPerson(
  api: GitHubApi,
  config: ProviderConfig,
  scopes: readonly string[],
  log: Log,
): Promise<Identity> {
  const wants = (scope: string) => config.scopes.includes(scope)
  const user = await api.one('/user')
  const [email, groups] = await Promise.all([
    wants('user:email') ? primaryEmail(api) : undefined,
    wants('read:org') ? groupsOf(api) : [],
  ])
  const claims: Claims = {
    ...Object.fromEntries(claimsOfUser.map((name) => [name, user[name]])),
    sub: subjectOf(user.id),
    preferred_username: user.login,
    name: user.name,
    ...(email !== undefined && { email, email_verified: true }),
    groups,
  }
  const rules = { ...config, provider: config.name, groupsClaim: 'groups', groupPaths: 'keep' } as const
  const identity = identityFrom({ userinfo: claims }, rules, scopes)
  // `groupsKept` filters what enters the session, not who may come in.
  refuseUninvited(config, { ...identity, groups }, tellLeftOut(api.leftOut(), config, log))
  return identity
}

function subjectOf(id: unknown): string {
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id <= 0) {
    throw new LoginFailure('claims', 'claims', 'GET /user: id is not a number')
  }
  return String(id)
}

/** Anybody can add an address to an account; the one that counts is verified, and the account's own choice. */
async function primaryEmail(api: GitHubApi): Promise<string | undefined> {
  const emails = await api.list('/user/emails')
  const primary = emails.find((entry) => entry.primary === true && entry.verified === true)
  return typeof primary?.email === 'string' ? primary.email : undefined
}

async function groupsOf(api: GitHubApi): Promise<readonly string[]> {
  const [memberships, teams] = await Promise.all([api.list('/user/memberships/orgs'), api.list('/user/teams')])
  // An invitation nobody accepted is no membership.
  const active = memberships.filter(({ state }) => state === 'active')
  const orgs = active.flatMap(({ organization }) => nameIn(organization, 'login'))
  const slugs = teams.flatMap((team) =>
    nameIn(team.organization, 'login')
      .filter((org) => orgs.includes(org))
      .flatMap((org) => nameIn(team, 'slug').map((slug) => `${org}/${slug}`)),
  )
  return [...new Set([...orgs, ...slugs])]
}

/** A name without a slash: with one, a team could look like another organisation's. */
function nameIn(value: unknown, key: string): string[] {
  const name = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return typeof name === 'string' && /^[^/\s]+$/.test(name) ? [name] : []
}

/** Organisations with single sign-on are missing from the lists until the person opened them for this application. */
function tellLeftOut(ids: readonly string[], { name, issuer }: ProviderConfig, log: Log): readonly string[] {
  if (ids.length === 0) return []
  log.warn({ provider: name, organisations: ids }, 'GitHub left out organisations that want single sign-on first')
  const count = ids.length === 1 ? 'one organisation' : `${ids.length} organisations`
  const place = `${issuer}/settings/applications`
  return [
    `GitHub left out ${count} with single sign-on. Open ${place}, grant this application access, and sign in again.`,
  ]
}
