/** The manual on a terminal: `doorward help config [key]`. */
import { asYaml, isWorthSaying, type ReferenceEntry, referenceEntries } from './reference.ts'
import { nearest } from './spelling.ts'
import { wrap } from './wrapping.ts'

/**
 * Plain text for `doorward help config [key]`; undefined where the file has no such key. `routes.allow`,
 * `routes[0].allow` and `routes[].allow` all mean the same.
 * @param columns of the terminal; examples are never broken
 */
export function configReference(keyPath?: string, columns = 80): string | undefined {
  const entries = referenceEntries()
  if (keyPath === undefined || keyPath === '')
    return listing(
      'Keys of the file',
      entries.filter(({ section }) => section === ''),
      columns,
    )
  const wanted = keyPath.replaceAll(/\[\d*\]/g, '')
  const entry = entries.find(({ path }) => patternOf(path).test(wanted))
  if (entry === undefined) return undefined
  const keys = entries.filter(({ section }) => section === entry.opens)
  const own = describe(entry, columns)
  return entry.opens === undefined ? own : `${own}\n\n${listing(`Keys of ${entry.opens}`, keys, columns)}`
}

/** The key most like one that does not exist. */
export const suggestKey = (keyPath: string): string | undefined => {
  const paths = referenceEntries().map(({ path }) => path)
  const last = paths.filter((path) => path.endsWith(`.${keyPath}`))
  return last[0] ?? nearest(keyPath, paths)
}

/** `providers.<name>.issuer` matches `providers.corp.issuer` and `providers.issuer`. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('[]', '').replaceAll('.', '\\.').replaceAll('\\.<name>', '(?:\\.[\\w-]+)??')}$`)

const listing = (title: string, entries: readonly ReferenceEntry[], columns: number): string =>
  [`${title}:`, ...entries.map((entry) => `\n${describe(entry, columns, '  ')}`)].join('\n')

function describe(entry: ReferenceEntry, columns: number, indent = ''): string {
  const { path, key, type, required, fallback, description, examples } = entry
  const heading = indent === '' ? path : key
  const facts = [plain(type), required ? 'required' : '', isWorthSaying(fallback) ? `default ${asYaml(fallback)}` : '']
  const told = `${heading} (${facts.filter((fact) => fact !== '').join('; ')})`
  const room = columns - indent.length - 2
  const [first = '', ...rest] = wrap(told, room)
  const example = examples.map((one) => `${key}: ${asYaml(one)}`)
  const further = [...rest.map((line) => `  ${line}`), ...wrap(plain(description), room), ...example]
  return [first, ...further.map((line) => `  ${line}`)].map((line) => indent + line).join('\n')
}

const plain = (text: string): string => text.replaceAll('`', '')
