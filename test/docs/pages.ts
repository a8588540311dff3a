/** Reads the Markdown of the repository as far as the tests of it need. */
import { globSync, readFileSync } from 'node:fs'

export interface Page {
  readonly file: string
  readonly text: string
}

export interface Block {
  readonly file: string
  readonly line: number
  readonly language: string
  readonly code: string
}

/** Every page that people read; the tests of other rooms have their own. */
export const readPages = (): readonly Page[] =>
  globSync(['*.md', 'docs/**/*.md', 'test/**/*.md']).map((file) => ({ file, text: readFileSync(file, 'utf8') }))

export function blocksOf({ file, text }: Page): readonly Block[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    file,
    line: text.slice(0, match.index).split('\n').length + 1,
    language: match[1]!,
    code: match[2]!,
  }))
}

export const withoutBlocks = (text: string): string => text.replace(/^```.*?^```$/gms, '')

/** What stands between backticks in running text. */
export const inlineCode = ({ text }: Page): readonly string[] =>
  [...withoutBlocks(text).matchAll(/`([^`]+)`/g)].map((match) => match[1]!.replaceAll('\n', ' '))

/** Addresses of links and images to other files of the repository, with their anchors. */
export const relativeLinks = ({ text }: Page): readonly string[] =>
  [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!)
    .filter((address) => !/^[a-z]+:/.test(address))

/** The anchors GitHub gives to headings. */
export const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
