import { createHash } from 'node:crypto'

/** Somebody the embedded provider knows. */
export interface IdpUser {
  readonly username: string
  readonly password: string
  readonly name: string
  readonly email: string
  readonly emailVerified: boolean
  readonly groups: readonly string[]
  readonly realmRoles: readonly string[]
  /** Client id -> roles. */
  readonly clientRoles: Readonly<Record<string, readonly string[]>>
  /** Claims beyond the usual ones. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** Ada may do everything, Bob is staff. The password is the name: this provider serves loopback alone. */
export const demoUsers: readonly IdpUser[] = [
  {
    username: 'ada',
    password: 'ada',
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    emailVerified: true,
    groups: ['/staff', '/admins'],
    realmRoles: ['admin'],
    clientRoles: { demo: ['editor'] },
  },
  {
    username: 'bob',
    password: 'bob',
    name: 'Bob Wheeler',
    email: 'bob@example.com',
    emailVerified: true,
    groups: ['/staff'],
    realmRoles: [],
    clientRoles: {},
  },
]

/** The same for a name at every start, and shaped like Keycloak's: a UUID. */
export function subjectOf(username: string): string {
  const hex = createHash('sha256').update(`doorward demo user ${username}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** As Keycloak spells them with its usual mappers: groups are paths, roles sit under realm_access and resource_access. */
export function claimsOf(user: IdpUser): Record<string, unknown> & { sub: string } {
  return {
    sub: subjectOf(user.username),
    preferred_username: user.username,
    name: user.name,
    email: user.email,
    email_verified: user.emailVerified,
    groups: user.groups,
    realm_access: { roles: user.realmRoles },
    resource_access: Object.fromEntries(Object.entries(user.clientRoles).map(([client, roles]) => [client, { roles }])),
    ...user.more,
  }
}

/** The accounts of one provider. They can change while it runs, as they do in life. */
export interface IdpAccounts {
  byUsername(username: string): IdpUser | undefined
  /** @throws Error for a name nobody has */
  get(username: string): IdpUser
  bySubject(subject: string): IdpUser | undefined
  /** What the login page offers. */
  all(): readonly IdpUser[]
  /** @throws Error for a name nobody has */
  change(username: string, changes: Partial<Omit<IdpUser, 'username'>>): void
  remove(username: string): void
}

export function createAccounts(users: readonly IdpUser[]): IdpAccounts {
  const byName = new Map(users.map((user) => [user.username, user]))
  const get = (username: string) => {
    const user = byName.get(username)
    if (user === undefined) throw new Error(`the embedded provider has no user ${username}`)
    return user
  }
  return {
    get,
    byUsername: (username) => byName.get(username),
    bySubject: (subject) => [...byName.values()].find((user) => subjectOf(user.username) === subject),
    all: () => [...byName.values()],
    change: (username, changes) => void byName.set(username, { ...get(username), ...changes }),
    remove: (username) => void byName.delete(username),
  }
}
