/** Who may come in: what `allow` says, from everything of theirs that decides it. */
import { type Draft, value } from './draft.ts'
import type { Settings } from './given.ts'
import type { SettingName } from './settings.ts'
import { kindOf } from './write-provider.ts'

/** `allow` as it is written, in flow style. `TODO` where a person has to decide. */
export type Access = {
  readonly allow: 'TODO' | 'signedIn' | Rules
  readonly place: string
  readonly remarks: readonly string[]
}

export interface Rules {
  readonly [key: string]: readonly string[] | { readonly file: string } | readonly Rules[]
}

export function accessOf(draft: Draft, settings: Settings): Access {
  const emails = emailRules(draft, settings)
  const groups = groupRules(settings)
  const place = settings.place(
    'email-domain',
    'authenticated-emails-file',
    'allowed-group',
    'allowed-role',
    'github-team',
    'gitlab-group',
  )
  // Beside an organisation it lets in more people, and without one it names all of them.
  const byName = settings.text('github-org') === undefined ? settings.place('github-user') : ''
  const lost = [settings.place(...narrowing), byName].filter((one) => one !== '').join(', ')
  if (lost !== '' || emails === 'nobody') return undecided(draft, lost || place)
  if (emails === 'everybody' && groups.length === 0) return everybody(draft, settings, place)
  if (emails === 'everybody') return { allow: both([], groups), place, remarks: [] }
  return { allow: both(emails, groups), place, remarks: ['Addresses count if the provider calls them verified.'] }
}

/** These keep people out there and have no equal: without them the rest would let in more. */
const narrowing = [
  'github-repo',
  'gitlab-project',
  'google-group',
  'google-use-organization-id',
  'bitbucket-team',
  'bitbucket-repository',
  'entra-id-allowed-tenant',
  'openshift-sar',
  'openshift-sar-by-host',
] as const satisfies readonly SettingName[]

function undecided(draft: Draft, place: string): Access {
  draft.ask({
    place,
    asks: 'who may come in? this narrows it, and has no equal here',
    hint: 'write allow: { groups: [/staff] }, { emailDomains: [example.com] } or another requirement (docs/policy.md)',
  })
  return { allow: 'TODO', place, remarks: [] }
}

/** Either of the file and the domains is enough, as there. `nobody`: what was written cannot be said here. */
function emailRules(draft: Draft, settings: Settings): readonly Rules[] | 'everybody' | 'nobody' {
  const domains = settings.list('email-domain')
  const file = settings.text('authenticated-emails-file')
  // They do not start without either, so nothing was decided.
  if (domains.includes('*') || (domains.length === 0 && file === undefined)) return 'everybody'
  const exact = domains.map((domain) => domain.replace(/^@/, '')).filter((domain) => !/^[.*]/.test(domain))
  const wide = domains.filter((domain) => /^[.*]/.test(domain))
  if (wide.length > 0) {
    const why = `subdomains are named one by one in emailDomains: ${wide.join(', ')} left out`
    draft.leave({ place: settings.place('email-domain'), why })
  }
  if (file !== undefined) {
    draft.need(`${file}: the e-mail addresses, one a line`)
    draft.standIn(value({ file }), '[ada@example.com]')
  }
  const rules = [
    ...(file === undefined ? [] : [{ emails: { file } }]),
    ...(exact.length > 0 ? [{ emailDomains: exact }] : []),
  ]
  return rules.length === 0 ? 'nobody' : rules
}

/** Groups and roles are one list there: one of them is enough. */
function groupRules(settings: Settings): readonly Rules[] {
  const written = [...settings.list('allowed-group'), ...settings.list('gitlab-group'), ...teamsOf(settings)]
  const roles = [
    ...settings.list('allowed-role'),
    // The way its Keycloak provider spells a role among groups.
    ...written.filter((group) => group.startsWith('role:')).map((group) => group.slice('role:'.length)),
  ]
  const groups = written.filter((group) => !group.startsWith('role:'))
  const clientRoles = roles.filter((role) => role.includes(':'))
  const realmRoles = roles.filter((role) => !role.includes(':'))
  return Object.entries({ groups, realmRoles, clientRoles }).flatMap(([key, values]) =>
    values.length === 0 ? [] : [{ [key]: [...new Set(values)] }],
  )
}

/** `org/team`; a team without its organisation is one of `github-org`. */
function teamsOf(settings: Settings): string[] {
  const org = settings.text('github-org')
  return settings
    .list('github-team')
    .map((team) => (team.includes(':') ? team.replace(':', '/') : org === undefined ? team : `${org}/${team}`))
}

/** AND of two lists of ways. */
function both(first: readonly Rules[], second: readonly Rules[]): Rules {
  const [short, long] = first.length <= second.length ? [first, second] : [second, first]
  if (short.length === 0) return either(long)
  if (short.length === 1) return { ...short[0]!, ...either(long) }
  return { anyOf: short.map((way) => ({ ...way, ...either(long) })) }
}

const either = (ways: readonly Rules[]): Rules => (ways.length === 1 ? ways[0]! : { anyOf: ways })

/** `*` is a decision that nobody should make by taking over a file. An organisation of GitHub is one already. */
function everybody(draft: Draft, settings: Settings, place: string): Access {
  if (settings.text('github-org') !== undefined && settings.text('provider') === 'github') {
    return { allow: 'signedIn', place, remarks: ['Members of provider.allowedOrgs are all who can sign in.'] }
  }
  const open = kindOf(settings)?.open === true
  const file = settings.text('authenticated-emails-file')
  const hint = [
    file === undefined ? '' : `{ emails: { file: ${file} } } for the addresses of the file, which * made void;`,
    open ? '' : 'signedIn for everybody with an account;',
    '{ emailDomains: [example.com] }, { groups: [/staff] } or { emails: [ada@example.com] } for some',
  ]
  draft.ask({
    place: place || 'no email-domain',
    asks: open
      ? 'who may come in? * is the whole world at this provider'
      : 'who may come in? * is everybody with an account',
    hint: `write allow in each route: ${hint.filter((part) => part !== '').join(' ')}`,
  })
  return { allow: 'TODO', place, remarks: [] }
}
