/** The manual on a terminal: `doorward help config [key]`. */
import { asYaml, isWorthSaying, type ReferenceEntry, referenceEntries } from './reference.ts'
import { nearest } from './spelling.ts'

/**
 * Plain text for `doorward help config [key]`; undefined where the file has no such key. `routes.allow`,
 * `routes[0].allow` and `routes[].allow` all mean the same.
 */
export function configReference(keyPath?: string): string | undefined {
  const entries = referenceEntries()
  if (keyPath === undefined || keyPath === '')
    return listing(
      'Keys of the file',
      entries.filter(({ section }) => section === ''),
    )
  const wanted = keyPath.replaceAll(/\[\d*\]/g, '')
  const entry = entries.find(({ path }) => patternOf(path).test(wanted))
  if (entry === undefined) return undefined
  const keys = entries.filter(({ section }) => section === entry.opens)
  const own = describe(entry)
  return entry.opens === undefined ? own : `${own}\n\n${listing(`Keys of ${entry.opens}`, keys)}`
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

const listing = (title: string, entries: readonly ReferenceEntry[]): string =>
  [`${title}:`, ...entries.map((entry) => `\n${describe(entry, '  ')}`)].join('\n')

function describe({ path, key, type, required, fallback, description, examples }: ReferenceEntry, indent = ''): string {
  const heading = indent === '' ? path : key
  const facts = [plain(type), required ? 'required' : '', isWorthSaying(fallback) ? `default ${asYaml(fallback)}` : '']
  const lines = [`${heading} (${facts.filter((fact) => fact !== '').join('; ')})`, ...wrap(plain(description), 96)]
  const example = examples.map((one) => `  ${key}: ${asYaml(one)}`)
  return [lines[0]!, ...lines.slice(1).map((line) => `  ${line}`), ...example].map((line) => indent + line).join('\n')
}

const plain = (text: string): string => text.replaceAll('`', '')

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
