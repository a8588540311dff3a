import { hasNestedQuantifier } from './claim-pattern.ts'
import type { ClaimTest, Requirements } from './config.ts'
import type { KeyPath } from './problems.ts'
import { Refused } from './refused.ts'
import { type Resolving, readNamedFile } from './resolving.ts'
import { type ParsedRequirements, parseEmail } from './schema-requirements.ts'

const largestEmailFile = 4 * 1024 * 1024

/** Requirements with their e-mail files read. Keys that are not written stay away. */
export function resolveRequirements(parsed: ParsedRequirements, path: KeyPath, context: Resolving): Requirements {
  const { groups, realmRoles, clientRoles, scopes, emails, emailDomains, claims, networks, acr, maxAge, anyOf, not } =
    parsed
  return {
    ...(groups && { groups }),
    ...(realmRoles && { realmRoles }),
    ...(clientRoles && { clientRoles }),
    ...(scopes && { scopes }),
    ...(emails && { emails: resolveEmails(emails, [...path, 'emails'], context) }),
    ...(emailDomains && { emailDomains }),
    ...(claims && { claims: resolveClaims(claims, [...path, 'claims'], context) }),
    ...(networks && { networks }),
    ...(acr && { acr }),
    ...(maxAge !== undefined && { maxAge: Math.floor(maxAge / 1000) }),
    ...(anyOf && { anyOf: anyOf.map((one, index) => resolveRequirements(one, [...path, 'anyOf', index], context)) }),
    ...(not && { not: resolveRequirements(not, [...path, 'not'], context) }),
  }
}

type ParsedClaims = NonNullable<ParsedRequirements['claims']>
type ParsedClaim = ParsedClaims[string]

function resolveClaims(claims: ParsedClaims, path: KeyPath, { warnings }: Resolving): ClaimTest[] {
  return Object.entries(claims).map(([claim, written]) => {
    const test = resolveClaim(claim, written)
    if ('matches' in test && hasNestedQuantifier(test.matches.source)) {
      const message = 'repeats a group that repeats something itself: some texts would take for ever, and are refused'
      warnings.add([...path, claim, 'matches'], message, 'repeat one thing: ^[a-z.]+$ rather than ^([a-z]+\\.?)+$')
    }
    return test
  })
}

function resolveClaim(claim: string, test: ParsedClaim): ClaimTest {
  if (Array.isArray(test)) return { claim, oneOf: test }
  return typeof test === 'object' ? { claim, matches: test.matches } : { claim, oneOf: [test] }
}

/** The addresses of a list, or of the file it names. */
export function resolveEmails(
  written: NonNullable<ParsedRequirements['emails']>,
  at: KeyPath,
  context: Resolving,
): string[] {
  if (typeof written === 'string') return [written]
  if (Array.isArray(written)) return written
  const text = readNamedFile(written.file, at, largestEmailFile, context)?.toString('utf8')
  return text === undefined ? [] : parseEmailFile(text, at, context)
}

/** One address per line; `#` starts a comment. An empty list lets nobody in, and says so. */
function parseEmailFile(text: string, at: KeyPath, { problems, warnings }: Resolving): string[] {
  const emails: string[] = []
  text.split('\n').forEach((line, index) => {
    const written = line.replace(/(?:^|\s)#.*$/, '').trim()
    if (written === '') return
    const email = parseEmail(written)
    if (email instanceof Refused) problems.add(at, `line ${index + 1} of the file: ${email.reason}`, email.hint)
    else emails.push(email)
  })
  if (emails.length === 0)
    warnings.add(at, 'the file holds no address, so nobody gets in by it', 'write one address per line')
  return emails
}

/** Every claim that these requirements look at. */
export function claimsOf({ claims, anyOf, not }: Requirements): string[] {
  const nested = [...(anyOf ?? []), ...(not === undefined ? [] : [not])]
  return [...(claims ?? []).map(({ claim }) => claim), ...nested.flatMap(claimsOf)]
}

/** True where meeting them takes more than having an account: a group, a role, an address, a claim. */
export function choosesPeople({
  groups,
  realmRoles,
  clientRoles,
  emails,
  emailDomains,
  claims,
  anyOf,
}: Requirements): boolean {
  const chosen = [groups, realmRoles, clientRoles, emails, emailDomains, claims].some((list) => list !== undefined)
  return chosen || (anyOf?.every(choosesPeople) ?? false)
}

/** Claims that providers fill with a name people chose. */
const usernameClaims = new Set(['preferred_username', 'username', 'login', 'nickname', 'upn', 'unique_name', 'name'])

/** What, unique within one provider alone, they look at. */
export function namesRead(requirements: Requirements): ReadonlySet<'email' | 'username' | 'groups'> {
  const { emails, emailDomains, groups, claims = [], anyOf = [], not } = requirements
  const nested = [...anyOf, ...(not === undefined ? [] : [not])].flatMap((one) => [...namesRead(one)])
  const read = new Set(nested)
  if (emails !== undefined || emailDomains !== undefined || claims.some(({ claim }) => claim === 'email'))
    read.add('email')
  if (claims.some(({ claim }) => usernameClaims.has(claim))) read.add('username')
  if (groups !== undefined) read.add('groups')
  return read
}
