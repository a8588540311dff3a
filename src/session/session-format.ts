import type { Identity } from '../core/identity.ts'
import type { Tokens } from '../core/tokens.ts'
import type { Session } from './session.ts'

/**
 * A session as bytes: one format byte, then JSON with short keys, since every byte of it travels with every request
 * of the `cookie` store. A reader that meets another format sees no session, so that two versions can run at once.
 */
const format = 1

export interface WrittenSession {
  readonly session: Session
  /** When the writer last saw a request of it, milliseconds since the epoch. */
  readonly seenAt: number
}

export function writeSession({ session, seenAt }: WrittenSession): Buffer {
  const { identity, tokens } = session
  const text = JSON.stringify({
    k: session.id,
    c: session.createdAt,
    e: session.expiresAt,
    w: session.renewedAt,
    v: seenAt,
    d: session.sid,
    i: shortIdentity(identity),
    f: tokens.refreshToken,
    a: tokens.accessToken,
    x: tokens.accessExpiresAt,
    h: tokens.idToken,
    y: tokens.idExpiresAt,
    z: tokens.providerEndsAt,
  })
  return Buffer.concat([Buffer.of(format), Buffer.from(text)])
}

/** Undefined for anything that is not a whole session of this format. */
export function readSession(bytes: Buffer): WrittenSession | undefined {
  if (bytes[0] !== format) return undefined
  const value = parseObject(bytes.toString('utf8', 1))
  const identity = readIdentity(value?.i)
  if (value === undefined || identity === undefined) return undefined
  const { k: id, c: createdAt, e: expiresAt, w: renewedAt, v: seenAt, d: sid } = value
  if (typeof id !== 'string' || typeof seenAt !== 'number') return undefined
  if (typeof createdAt !== 'number' || typeof expiresAt !== 'number' || typeof renewedAt !== 'number') return undefined
  const session = { id, identity, tokens: readTokens(value), createdAt, expiresAt, renewedAt }
  return { session: typeof sid === 'string' ? { ...session, sid } : session, seenAt }
}

/** What is empty or repeats another claim is left out. */
function shortIdentity(identity: Identity): object {
  return {
    p: identity.provider,
    i: identity.issuer,
    s: identity.subject,
    u: identity.username === identity.subject ? undefined : identity.username,
    e: identity.email,
    n: identity.name,
    g: identity.groups.length === 0 ? undefined : identity.groups,
    r: identity.realmRoles.length === 0 ? undefined : identity.realmRoles,
    c: Object.keys(identity.clientRoles).length === 0 ? undefined : identity.clientRoles,
    o: identity.scopes.length === 0 ? undefined : identity.scopes.join(' '),
    a: identity.acr,
    t: identity.authTime,
    x: Object.keys(identity.claims).length === 0 ? undefined : identity.claims,
  }
}

function readIdentity(value: unknown): Identity | undefined {
  if (!isObject(value)) return undefined
  const { p: provider, i: issuer, s: subject, u, e: email, n: name, o: scopes, a: acr, t: authTime } = value
  if (typeof provider !== 'string' || typeof issuer !== 'string' || typeof subject !== 'string') return undefined
  return {
    provider,
    issuer,
    subject,
    username: typeof u === 'string' ? u : subject,
    ...(typeof email === 'string' ? { email } : {}),
    ...(typeof name === 'string' ? { name } : {}),
    groups: readTexts(value.g),
    realmRoles: readTexts(value.r),
    clientRoles: Object.fromEntries(Object.entries(readObject(value.c)).map(([key, roles]) => [key, readTexts(roles)])),
    scopes: typeof scopes === 'string' ? scopes.split(' ') : [],
    ...(typeof acr === 'string' ? { acr } : {}),
    ...(typeof authTime === 'number' ? { authTime } : {}),
    claims: readObject(value.x),
  }
}

function readTokens({ f, a, x, h, y, z }: Record<string, unknown>): Tokens {
  return {
    ...(typeof f === 'string' ? { refreshToken: f } : {}),
    ...(typeof a === 'string' ? { accessToken: a } : {}),
    ...(typeof x === 'number' ? { accessExpiresAt: x } : {}),
    ...(typeof h === 'string' ? { idToken: h } : {}),
    ...(typeof y === 'number' ? { idExpiresAt: y } : {}),
    ...(typeof z === 'number' ? { providerEndsAt: z } : {}),
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readObject = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {})

const readTexts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

/** JSON that must be an object. `__proto__` members (a claim may be called so) are dropped at every depth. */
function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = text.includes('__proto__') ? JSON.parse(text, dropPrototype) : JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const dropPrototype = (key: string, value: unknown): unknown => (key === '__proto__' ? undefined : value)
