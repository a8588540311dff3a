/** `<basePath>/auth` on the forward-auth listener: another product's endpoint, asked as one gateway asks. */
import type { Config, Requirements } from '../../config/config.ts'
import { parseEmail } from '../../config/schema-requirements.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Decision } from '../../gate/decision.ts'
import { refused } from '../../gate/judge.ts'
import type { RequestContext } from '../../policy/policy.ts'
import { compileRequirements, unmetOf } from '../../policy/requirements.ts'
import type { ForwardAuthAdapter } from '../forward-auth/adapter.ts'

export interface AuthEndpoint {
  /** Its whole path, without a query. */
  readonly path: string
  readonly adapter: ForwardAuthAdapter
  readonly allowStatus: 200 | 202
}

/**
 * Theirs says 401 to everybody who is not signed in, and whoever asks makes the redirect: `auth-signin` of
 * ingress-nginx, `errors` of Traefik, `handle_response` of Caddy.
 *
 * @param adapters by name; the file says which one speaks here, since a header that a gateway does not overwrite is
 *   the client's
 */
export function authEndpoint(
  { compatibility, basePath }: Pick<Config, 'compatibility' | 'basePath'>,
  adapters: readonly ForwardAuthAdapter[],
): AuthEndpoint | undefined {
  const gateway = adapters.find(({ name }) => name === compatibility?.gateway)
  if (compatibility === undefined || gateway === undefined) return undefined
  return {
    path: `${basePath}/auth`,
    adapter: { ...gateway, loginStatus: 401 },
    allowStatus: compatibility.authStatus,
  }
}

const lists: Readonly<Record<string, (values: readonly string[]) => Requirements>> = {
  allowed_groups: (groups) => ({ groups }),
  allowed_emails: (emails) => ({ emails: emails.map(address) }),
  allowed_email_domains: (emailDomains) => ({ emailDomains: emailDomains.map((domain) => domain.toLowerCase()) }),
}

/**
 * What one ingress asks beyond the file: `auth-url: …/oauth2/auth?allowed_groups=a,b`. All lists must be met, one value
 * of each is enough; an empty one is met by nobody.
 *
 * @throws GatewayError `bad_request` for a list that is unknown or comes twice: a client may have added the
 *   second, and a rule that nobody reads lets everybody in
 */
export function rulesAsked(query: string): Requirements | undefined {
  const asked = [...new URLSearchParams(query)].filter(([name]) => name.startsWith('allowed_'))
  if (asked.length === 0) return undefined
  const names = asked.map(([name]) => name)
  const rules = asked.map(([name, value]) => {
    const read = Object.hasOwn(lists, name) ? lists[name] : undefined
    if (read === undefined) throw new GatewayError('bad_request', `${name} is none of ${Object.keys(lists).join(', ')}`)
    if (names.indexOf(name) !== names.lastIndexOf(name)) throw new GatewayError('bad_request', `${name} comes twice`)
    const values = value.split(',').flatMap((item) => item.trim() || [])
    return read(values)
  })
  return Object.assign({}, ...rules)
}

function address(written: string): string {
  const read = parseEmail(written)
  if (typeof read === 'string') return read
  throw new GatewayError('bad_request', 'allowed_emails holds what is no e-mail address')
}

/** Takes the yes of the gate back where it is not enough for this ingress. A no stays as it is. */
export function narrowed(decision: Decision, rules: Requirements | undefined, context: RequestContext): Decision {
  const { verdict, route } = decision
  if (rules === undefined || verdict.kind !== 'allow' || decision.isPreflight) return decision
  const { identity } = verdict
  const checks = compileRequirements(rules)
  const unmet = identity === undefined ? checks.map((check) => check.unmet) : unmetOf(checks, identity, context)
  if (unmet.length === 0) return decision
  return refused({ kind: 'forbid', route: verdict.route, reason: 'requirement_unmet', identity, unmet }, route)
}
