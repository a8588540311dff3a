/** What differs between the client Keycloak has and the one the file wants. Nothing of others is taken away. */
import type { Secret } from '../../core/secret.ts'
import { isJsonObject, parseStrictJson } from '../../core/strict-json.ts'
import type { ClientRepresentation } from './representations.ts'
import type { Setting, WantedClient } from './wanted-client.ts'

/** One setting that will be written. */
export interface Change {
  readonly place: 'field' | 'attribute'
  /** As the Admin API calls it. */
  readonly key: string
  /** As the admin console calls it. */
  readonly label: string
  /** For people; undefined where it was not set. Lists show what is added alone. */
  readonly from: string | undefined
  readonly to: string
  readonly value: string | boolean | readonly string[] | Secret
  /** It is so without our doing, in effect: sent, and not counted. */
  readonly isUsual?: true
}

/** As much of a client as is compared; of one that has still to be made, nothing. */
export type FoundClient = Partial<ClientRepresentation>

export interface FoundSecret {
  /** Undefined where Keycloak has none, or hides it. */
  readonly secret: string | undefined
}

export function clientChanges(wanted: WantedClient, found: FoundClient, { secret }: FoundSecret): Change[] {
  return [
    ...wanted.settings.flatMap((setting) => settingChange(setting, found)),
    ...secretChange(wanted, secret),
    ...keyChange(wanted, found),
    ...listChange('redirectUris', 'Valid redirect URIs', found.redirectUris, wanted.redirectUris),
    ...postLogoutChange(wanted, found),
    ...webOriginsChange(wanted, found),
    ...backchannelChange(wanted, found),
  ]
}

function settingChange(setting: Setting, found: FoundClient): Change[] {
  const { place, key, label, value, isInverse, isDefault } = setting
  const was = place === 'field' ? found[key] : found.attributes?.[key]
  if (was === value || (isDefault && (was === undefined || was === ''))) return []
  const usual = setting.isUsual && found.id === undefined ? { isUsual: true as const } : {}
  const shown = (one: unknown) => (typeof one === 'boolean' ? onOff(one !== (isInverse ?? false)) : switchText(one))
  return [{ place, key, label, from: was === undefined ? undefined : shown(was), to: shown(value), value, ...usual }]
}

const onOff = (is: boolean): string => (is ? 'on' : 'off')
const switchText = (value: unknown): string =>
  value === 'true' ? 'on' : value === 'false' ? 'off' : value === '' ? 'empty' : String(value)

function secretChange({ secret }: WantedClient, found: string | undefined): Change[] {
  if (secret === undefined || secret.reveal() === found || isHidden(found)) return []
  const from = found === undefined ? undefined : 'another one'
  return [{ place: 'field', key: 'secret', label: 'Client Secret', from, to: 'the one of the file', value: secret }]
}

/** Keycloak 26.8 shows stars to an account that may only look. */
export const isHidden = (secret: string | undefined): boolean => secret !== undefined && /^\*+$/.test(secret)

/** Keys are added: the one before may still sign for a replica that has not been restarted. */
function keyChange({ key }: WantedClient, { attributes = {} }: FoundClient): Change[] {
  if (key === undefined || attributes['use.jwks.url'] === 'true') return []
  const known = attributes['use.jwks.string'] === 'true' ? keysOf(attributes['jwks.string']) : []
  if (known.some((one) => isSameKey(one, key))) return []
  const keys = JSON.stringify({ keys: [key, ...known] })
  const change = (name: string, label: string, to: string, value: string): Change => ({
    place: 'attribute',
    key: name,
    label,
    from: undefined,
    to,
    value,
  })
  const before = known.length === 0 ? '' : ', before those there are'
  return [
    change('use.jwks.string', 'Use JWKS', 'on', 'true'),
    change('jwks.string', 'JSON Web Key Set', `the public half of the key of the file${before}`, keys),
  ]
}

function keysOf(text: string | undefined): readonly Readonly<Record<string, unknown>>[] {
  try {
    const set = parseStrictJson(text ?? '')
    return isJsonObject(set) && Array.isArray(set.keys) ? set.keys.filter(isJsonObject) : []
  } catch {
    return []
  }
}

const isSameKey = (one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean =>
  ['kty', 'n', 'e', 'crv', 'x', 'y', 'kid'].every((member) => one[member] === other[member])

function listChange(key: string, label: string, found: readonly string[] = [], wanted: readonly string[]): Change[] {
  const missing = wanted.filter((uri) => !found.includes(uri))
  if (missing.length === 0) return []
  return [{ place: 'field', key, label, from: undefined, to: missing.join(' '), value: [...found, ...missing] }]
}

/**
 * Scripts of the application that call Keycloak themselves need one; nothing here does, so an empty list is left empty.
 * `+` is a list of its own to Keycloak: every origin of a redirect URI.
 */
function webOriginsChange({ webOrigins: wanted }: WantedClient, { id, webOrigins: found = [] }: FoundClient): Change[] {
  const isMeant = found.includes('+') || found.includes('*') || (id !== undefined && found.length === 0)
  return isMeant ? [] : listChange('webOrigins', 'Web origins', found, wanted)
}

/**
 * One text with `##` between the URIs. Nothing and `+` mean the redirect URIs, which foreign ones keep when the list
 * becomes explicit; `-` means none.
 */
export function postLogoutUrisOf({ attributes, redirectUris = [] }: FoundClient, ours: readonly string[]): string[] {
  const text = attributes?.['post.logout.redirect.uris'] ?? ''
  if (text === '-') return []
  const foreign = redirectUris.filter((uri) => !ours.includes(uri))
  return text === '' ? foreign : [...new Set(text.split('##').flatMap((uri) => (uri === '+' ? foreign : [uri])))]
}

function postLogoutChange(wanted: WantedClient, found: FoundClient): Change[] {
  const known = postLogoutUrisOf(found, wanted.redirectUris)
  const missing = wanted.postLogoutRedirectUris.filter((uri) => !known.includes(uri))
  if (missing.length === 0) return []
  const value = [...known, ...missing].join('##')
  const label = 'Valid post logout redirect URIs'
  return [
    { place: 'attribute', key: 'post.logout.redirect.uris', label, from: undefined, to: missing.join(' '), value },
  ]
}

function backchannelChange({ backchannelLogout: wanted }: WantedClient, { attributes }: FoundClient): Change[] {
  const was = attributes?.['backchannel.logout.url']
  if (was === wanted.url || (!wanted.isAsked && was !== undefined && isOurs(was, wanted.path))) return []
  const from = was === undefined || was === '' ? undefined : was
  const label = 'Backchannel logout URL'
  return [{ place: 'attribute', key: 'backchannel.logout.url', label, from, to: wanted.url, value: wanted.url }]
}

const isOurs = (url: string, path: string): boolean => URL.parse(url)?.pathname === path
