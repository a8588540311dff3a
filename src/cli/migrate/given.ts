/** What somebody wrote for oauth2-proxy, from all its sources, each overruled by the next as there. */
import { Secret } from '../../core/secret.ts'
import { type SettingName, settings } from './settings.ts'

export interface Given {
  readonly name: SettingName
  /** Empty for a secret. */
  readonly values: readonly string[]
  readonly secret: GivenSecret | undefined
  /** As a comment names it: `--email-domain`, `cookie_expire (oauth2-proxy.cfg:3)`. */
  readonly place: string
}

/** Where a secret comes from. `clear`: it stood there itself. */
export type GivenSecret =
  | { readonly from: 'env'; readonly variable: string; readonly known: Secret | undefined }
  | { readonly from: 'file'; readonly file: string }
  | { readonly from: 'clear'; readonly text: Secret }

export interface Unknown {
  /** As written, without its value. */
  readonly written: string
  readonly place: string
}

/** One source, in the order it was written. */
export interface Source {
  readonly given: readonly Given[]
  readonly unknown: readonly Unknown[]
}

/** `$(NAME)` of Kubernetes, `${NAME}` and `$NAME` of shells, compose and the alpha file; a default is no secret to keep. */
const reference = /^\$(?:\((\w+)\)|\{(\w+)(?::?[-?][^{}]*)?\}|([A-Za-z_]\w*))$/

/** In regular expressions a dollar is an end. */
const expressions: ReadonlySet<SettingName> = new Set(['skip-auth-route', 'skip-auth-regex', 'api-route'])

/** Of a provider, and of ourselves: what stands before their `@` is a secret, and means nothing to anybody. */
const addresses = /^(?!redis-).*-(?:url|issuers)$/

const withoutCredentials = (text: string): string => text.replace(/^(\s*https?:\/\/)[^/?#]*@/i, '$1')

/** All of them as our file spells them, which asks the environment too. */
const ourVariables = (text: string): string =>
  text
    .replaceAll(/\$(?:\((\w+)\)|([A-Za-z_]\w*))/g, (_, kubernetes, shell) => `\${${kubernetes ?? shell}}`)
    .replaceAll(/\$\{(\w+)-([^{}]*)\}/g, '$${$1:-$2}')

export interface Whence {
  /** Variable of the environment that held it. */
  readonly variable?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Written as a list: a comma belongs to its text. */
  readonly isList?: boolean
}

/**
 * @param values as written; a text of a list may hold several, with commas between
 */
export function give(name: SettingName, values: readonly string[], place: string, more: Whence = {}): Given {
  const { kind } = settings[name]
  if (kind === 'secret') return { name, values: [], secret: secretIn(values.at(-1) ?? '', more), place }
  const texts = kind === 'list' ? values.flatMap((value) => (more.isList ? value : value.split(','))) : values
  const plain = addresses.test(name) ? texts.map(withoutCredentials) : texts
  const read = plain.map((text) => (expressions.has(name) ? text.trim() : ourVariables(text.trim())))
  return { name, values: read.filter((text) => text !== ''), secret: undefined, place }
}

function secretIn(written: string, { variable, env = {} }: Whence): GivenSecret | undefined {
  const match = reference.exec(written.trim())
  const named = match === null ? variable : (match[1] ?? match[2] ?? match[3])
  if (named === undefined)
    return written.trim() === '' ? undefined : { from: 'clear', text: new Secret(written.trim()) }
  const value = match === null ? written : env[named]
  return { from: 'env', variable: named, known: value === undefined || value === '' ? undefined : new Secret(value) }
}

/** The settings that count: of each the last source that has it. */
export interface Settings {
  readonly all: readonly Given[]
  readonly unknown: readonly Unknown[]
  get(name: SettingName): Given | undefined
  /** The last value; undefined where it is empty or not given. */
  text(name: SettingName): string | undefined
  list(name: SettingName): readonly string[]
  on(name: SettingName, unless?: boolean): boolean
  /** Whence: for the comment beside a line. Those of the names that were given. */
  place(...names: readonly SettingName[]): string
}

/** @param sources the weakest first; within one, a setting that comes again adds to a list and replaces all else */
export function merge(sources: readonly Source[]): Settings {
  const found = new Map<SettingName, Given>()
  for (const source of sources) {
    const own = new Map<SettingName, Given>()
    for (const given of source.given) {
      const before = own.get(given.name)
      const adds = before !== undefined && settings[given.name].kind === 'list'
      own.set(given.name, adds ? { ...given, values: [...before.values, ...given.values] } : given)
    }
    for (const [name, given] of own) found.set(name, given)
  }
  const text = (name: SettingName) => found.get(name)?.values.at(-1)
  return {
    all: [...found.values()],
    unknown: sources.flatMap(({ unknown }) => unknown),
    get: (name) => found.get(name),
    text,
    list: (name) => found.get(name)?.values ?? [],
    on: (name, unless = false) => {
      const written = text(name)?.toLowerCase()
      return written === undefined ? unless : ['true', '1', 't'].includes(written)
    },
    place: (...names) =>
      names
        .flatMap((name) => found.get(name)?.place ?? [])
        .filter((place, index, all) => all.indexOf(place) === index)
        .join(', '),
  }
}
