/** The table of docs/gateways/README.md: what each gateway answers to each question, made from what the suite asks. */
import type { GatewayProduct } from './gateway-product.ts'
import type { Question } from './question.ts'

/** Where a table stands in the page. */
export type Section = 'table' | 'controllers'
const marksOf = (section: Section) => [`<!-- ${section}: begin -->`, `<!-- ${section}: end -->`] as const

/** Gateway -> version that was run; gateways that were not run are left out. */
export type Versions = ReadonlyMap<string, string>

/** A remark that several gateways share is one note. */
export function tableOf(questions: readonly Question[], gateways: readonly GatewayProduct[]): string {
  const notes: string[] = []
  const noteOf = (words: string) => {
    if (!notes.includes(words)) notes.push(words)
    return notes.indexOf(words) + 1
  }
  const cell = ({ name }: Question, { remarks }: GatewayProduct) => {
    const remark = remarks[name]
    if (remark === undefined) return 'yes'
    return 'cannot' in remark ? `no (${noteOf(remark.cannot)})` : `yes (${noteOf(remark.but)})`
  }
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const lines = [
    row(['', ...gateways.map(({ name }) => name)]),
    `|---|${gateways.map(() => '---|').join('')}`,
    ...questions.map((question) => row([question.name, ...gateways.map((gateway) => cell(question, gateway))])),
  ]
  return `${lines.join('\n')}\n${notes.length === 0 ? '' : `\n${notes.map((note, i) => `${i + 1}. ${note}`).join('\n')}\n`}`
}

export const versionLine = (versions: Versions): string =>
  `Last run with ${[...versions].map(([name, version]) => `${name} ${version}`).join(', ')}.\n`

/** The part of the page between the marks: first the versions, then the table. @throws Error without the marks */
export function sectionOf(page: string, section: Section): { readonly versions: string; readonly table: string } {
  const [begin, end] = marksOf(section)
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)]
  if (start === -1 || stop < start) throw new Error(`the page has no ${begin} … ${end}`)
  const [versions = '', ...table] = page
    .slice(start + begin.length, stop)
    .trim()
    .split('\n\n')
  return { versions: `${versions}\n`, table: `${table.join('\n\n')}\n` }
}

export function withSection(page: string, section: Section, versions: string, table: string): string {
  const [begin, end] = marksOf(section)
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)]
  return `${page.slice(0, start)}${begin}\n${versions}\n${table}\n${page.slice(stop)}`
}
