/** Regular expressions that let requests past the sign-in, as paths of routes, where they are plain. */

export interface PublicPath {
  /** `/exact` or `/prefix/*`. */
  readonly path: string
  /** Undefined: every method. */
  readonly method: string | undefined
  /** `/api/*` is also `/api`, which `^/api/` is not. */
  readonly wider: boolean
}

export interface SkipRule {
  readonly paths: readonly PublicPath[]
  /** Why (a part of) it cannot be a path; undefined where all of it can. */
  readonly left: string | undefined
}

/** More ways than this are no list somebody wrote. */
const mostAlternatives = 40

/** @param rule `^/health$`, `GET=^/api/`, `POST!=^/x`; a `skip-auth-regex` has no method */
export function readSkipRule(rule: string, hasMethod: boolean): SkipRule {
  const match = hasMethod ? /^([A-Za-z]*)(!?)=(.*)$/s.exec(rule) : null
  const [, written = '', not = '', regex = rule] = match ?? []
  if (not !== '') return { paths: [], left: 'all paths but some: write the public ones one by one' }
  const method = written === '' ? undefined : written.toUpperCase()
  if (method === 'OPTIONS') return { paths: [], left: 'write `cors` at the route: real preflights alone pass' }
  const ways = alternatives(regex)
  if (ways === undefined)
    return { paths: [], left: 'no plain prefix or path: write a route for each path that is meant' }
  const read = ways.map(pathOf)
  const wrong = read.find((one) => one.path === undefined)
  return {
    paths: read.flatMap((one) => (one.path === undefined ? [] : [{ path: one.path, wider: one.wider, method }])),
    left: wrong?.path === undefined ? wrong?.why : undefined,
  }
}

type PathRead = { readonly path: string; readonly wider: boolean } | { readonly path: undefined; readonly why: string }

/** One way without alternatives: `^`, plain characters, and at most an end. */
function pathOf(regex: string): PathRead {
  if (/^\^?\/?(?:\.[*+])?\$?$/.test(regex)) return no('opens everything: write allow: public yourself if that is meant')
  if (!regex.startsWith('^'))
    return no('matches anywhere in a path, not at its start: write a route for the path that is meant')
  const isExact = /^\^(?:[^\\]|\\.)*\$$/s.test(regex)
  const body = regex.slice(1, isExact ? -1 : undefined)
  const open = /^(.*?)(?:\.[*+])?$/s.exec(body)![1]!
  const isOpen = open.length < body.length || !isExact
  const literal = literalOf(open)
  if (literal === undefined) return no('no plain prefix or path: write a route for each path that is meant')
  const path = isOpen ? `${literal.replace(/\/$/, '')}/*` : literal
  if (path === '/*' || literal === '') return no('opens everything: write allow: public yourself if that is meant')
  if (!/^\/[\w\-.~!$&'()+,=:@/]*\*?$/.test(path) || /\/\/|\/\.{1,2}(?:\/|$)/.test(path)) return no('no path of a route')
  return { path, wider: isOpen && literal.endsWith('/') }
}

const no = (why: string): PathRead => ({ path: undefined, why })

/**
 * Plain characters and escaped ones; undefined where anything in it has a meaning. A dot that nobody escaped stands for
 * any character, and was meant as a dot: fewer paths than before are open.
 */
function literalOf(text: string): string | undefined {
  const parts = text.match(/\\[^\w]|[^\\^$|?*+()[\]{}]/g) ?? []
  return parts.join('') === text ? parts.map((part) => part.at(-1)!).join('') : undefined
}

/** `^/(a|b)/x?` is spelled out: `^/a/x`, … Undefined where it cannot be. */
function alternatives(regex: string): readonly string[] | undefined {
  let open = [regex]
  for (let round = 0; round < 10; round++) {
    const next = open.flatMap(spellOut)
    if (next.length > mostAlternatives) return undefined
    if (next.length === open.length && next.every((one, index) => one === open[index])) return next
    open = next
  }
  return undefined
}

function spellOut(regex: string): readonly string[] {
  const top = splitTop(regex)
  if (top.length > 1) return top
  const optional = regex.indexOf('/?')
  if (optional !== -1 && regex[optional - 1] !== '(') {
    return ['', '/'].map((slash) => regex.slice(0, optional) + slash + regex.slice(optional + 2))
  }
  const group = /\((?:\?:)?([^()]*)\)([?*+]?)/.exec(regex)
  if (
    group === null ||
    isEscaped(regex, group.index) ||
    group[2] === '*' ||
    group[2] === '+' ||
    group[1]!.startsWith('?')
  ) {
    return [regex]
  }
  const before = regex.slice(0, group.index)
  const after = regex.slice(group.index + group[0].length)
  const inside = [...splitTop(group[1]!), ...(group[2] === '?' ? [''] : [])]
  // An end inside a group is an end of the whole.
  return inside.map((way) => before + way + (way.endsWith('$') ? '' : after))
}

const isEscaped = (text: string, index: number): boolean => /(?:^|[^\\])(?:\\\\)*\\$/.test(text.slice(0, index))

/** At every `|` outside of groups, classes and escapes. */
function splitTop(regex: string): string[] {
  const parts = ['']
  let depth = 0
  for (const [piece] of regex.matchAll(/\\.|\[(?:\\.|[^\]])*\]|./gs)) {
    if (piece === '(') depth++
    if (piece === ')') depth--
    if (piece === '|' && depth === 0) parts.push('')
    else parts[parts.length - 1] += piece
  }
  return parts
}

export interface OpenPath {
  readonly path: string
  /** Undefined: every method. */
  readonly methods: readonly string[] | undefined
  readonly wider: boolean
}

/** Each path once, exact ones first, wide ones last; what a wider one covers is left out. */
export function sortPaths(paths: readonly PublicPath[]): OpenPath[] {
  const wide = paths.filter(({ path, method }) => method === undefined && path.endsWith('/*'))
  const isCovered = ({ path }: PublicPath) =>
    wide.some((other) => other.path !== path && `${path.replace(/\/\*$/, '')}/`.startsWith(other.path.slice(0, -1)))
  const byPath = Map.groupBy(
    paths.filter((one) => !isCovered(one)),
    ({ path }) => path,
  )
  const open = [...byPath].map(([path, all]): OpenPath => {
    const methods = all.flatMap(({ method }) => method ?? [])
    const every = methods.length < all.length
    return { path, methods: every ? undefined : [...new Set(methods)], wider: all.every(({ wider }) => wider) }
  })
  return open.sort(
    (a, b) => Number(a.path.endsWith('*')) - Number(b.path.endsWith('*')) || b.path.length - a.path.length,
  )
}
