/** Where a manifest or a compose file starts oauth2-proxy: one of its containers, with its flags and variables. */
import { isProgram, programIn, readScript } from './read-script.ts'
import { settingNamed } from './settings.ts'
import { at, isMap, listAt, strings, textAt } from './tree.ts'

export interface Container {
  /** Where it stands: `services.proxy`. */
  readonly place: string
  readonly node: object
  readonly flags: readonly string[]
  /** Undefined: its value is elsewhere, as in a Secret. */
  readonly variables: ReadonlyMap<string, string | undefined>
}

/** Containers of any kind below a node, those of oauth2-proxy first. */
export interface Containers {
  readonly own: readonly Container[]
  /** Nodes whose flags and variables are somebody else's. */
  readonly others: ReadonlySet<object>
}

export function containersIn(documents: readonly unknown[]): Containers {
  const found = documents.flatMap((tree) => candidates(tree, ''))
  const named = found.filter(({ node }) => startsIt(node))
  const telling = found.filter(({ flags, variables }) => count(flags, variables) > 0)
  // An image of somebody's own making has another name, but the same settings.
  const best = Math.max(0, ...telling.map(({ flags, variables }) => count(flags, variables)))
  const own = named.length > 0 ? named : telling.filter((one) => count(one.flags, one.variables) === best).slice(0, 1)
  return { own, others: new Set(found.filter((one) => !own.includes(one)).map(({ node }) => node)) }
}

const startsIt = (node: object): boolean =>
  [textAt(node, 'image'), ...strings(at(node, 'command')), ...strings(at(node, 'entrypoint'))].some(
    (text) => text !== undefined && (isProgram(text) || isProgram(text.split(/\s+/)[0]!)),
  )

const count = (flags: readonly string[], variables: ReadonlyMap<string, unknown>): number =>
  flags.filter((flag) => flag.startsWith('-') && settingNamed(flag.split('=')[0]!) !== undefined).length +
  [...variables.keys()].filter((name) => name.startsWith('OAUTH2_PROXY_') && settingNamed(name) !== undefined).length

function candidates(node: unknown, place: string): Container[] {
  if (typeof node !== 'object' || node === null) return []
  const below = Object.entries(node).flatMap(([key, child]) =>
    // What compose files keep for merging is no service.
    place === '' && key.startsWith('x-') ? [] : candidates(child, place === '' ? key : `${place}.${key}`),
  )
  if (!isMap(node)) return below
  const isContainer = ['image', 'args', 'command', 'entrypoint'].some((key) => at(node, key) !== undefined)
  return isContainer ? [containerOf(node, place), ...below] : below
}

function containerOf(node: object, place: string): Container {
  const texts = ['entrypoint', 'command', 'args'].flatMap((key) => at(node, key) ?? [])
  const words = strings(texts)
  // compose takes a whole line; a shell gets one, or more, as its argument.
  const isLine = ['entrypoint', 'command'].some((key) => /\s/.test(lineAt(node, key)))
  const isScript = words.some((word) => /\s-/.test(word) && (/^\s*-/.test(word) || startsProgram(word)))
  const script =
    isLine || isScript ? readScript(words.filter((word) => isLine || /\s/.test(word)).join('\n')) : undefined
  const flags = script?.flags ?? words.slice(programIn(words) + 1).map(withoutQuotes)
  return { place, node, flags, variables: new Map([...variablesOf(node), ...(script?.variables ?? [])]) }
}

function lineAt(node: object, key: string): string {
  const text = at(node, key)
  return typeof text === 'string' ? text.trim() : ''
}

const startsProgram = (word: string): boolean => programIn(word.trim().split(/\s+/)) !== -1

/** `--email-domain="x"` in a list: no shell takes the quotes off, and nobody means them. */
const withoutQuotes = (word: string): string => word.replace(/^(-[\w-]+=)(["'])(.*)\2$/s, '$1$3')

/** `env` of Kubernetes, `environment` of compose in both shapes. */
function variablesOf(node: object): [string, string | undefined][] {
  const listed = [...listAt(node, 'env'), ...listAt(node, 'environment')].flatMap(
    (one): [string, string | undefined][] => {
      if (typeof one !== 'string') {
        const name = textAt(one, 'name')
        return name === undefined ? [] : [[name, textAt(one, 'value')]]
      }
      const [name, ...rest] = one.split('=')
      return [[name!, rest.length > 0 ? rest.join('=') : undefined]]
    },
  )
  const map = at(node, 'environment')
  if (!isMap(map)) return listed
  return [...listed, ...Object.keys(map).map((name): [string, string | undefined] => [name, textAt(map, name)])]
}
