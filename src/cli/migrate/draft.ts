/** Our file while it is written: lines with a comment each, questions that keep it from starting, and what is left. */
import { stringify } from 'yaml'

export interface Left {
  /** Whence: `--trusted-ip`. */
  readonly place: string
  readonly why: string
}

export interface Question {
  readonly place: string
  readonly asks: string
  readonly hint: string
}

export interface Draft {
  /** @param why comment behind the line; empty: none */
  line(depth: number, text: string, why?: string): void
  /** Lines of comment above what follows. */
  remark(depth: number, text: string): void
  gap(): void
  /** Something that only a person can decide. The file holds `TODO` there, which no check accepts. */
  ask(question: Question): void
  leave(left: Left): void
  /** A file or variable that has to be there before the start. */
  need(what: string): void
  /** For the trial alone: `text` of the file reads as `instead`, since what it names is not here. */
  standIn(text: string, instead: string): void
  lines(): readonly string[]
  readonly questions: readonly Question[]
  readonly left: readonly Left[]
  readonly needs: readonly string[]
  readonly standIns: readonly { readonly text: string; readonly instead: string }[]
}

/** Characters of a line, comment included, as far as it can be helped. */
const width = 118

export function createDraft(): Draft {
  const lines: string[] = []
  const questions: Question[] = []
  const left: Left[] = []
  const needs: string[] = []
  const standIns: { text: string; instead: string }[] = []
  return {
    line(depth, text, why = '') {
      const written = `${'  '.repeat(depth)}${text}`
      const commentedLine = `${written.padEnd(45)}  # ${oneLine(why)}`
      if (why === '') lines.push(...written.split('\n'))
      else if (commentedLine.length <= width && !written.includes('\n')) lines.push(commentedLine)
      else lines.push(...commented(why, /^ */.exec(written)![0]), ...written.split('\n'))
    },
    remark(depth, text) {
      lines.push(...commented(text, '  '.repeat(depth)))
    },
    gap: () => void lines.push(''),
    ask: (question) => void questions.push(question),
    leave: (one) => void left.push(one),
    need(what) {
      if (!needs.includes(what)) needs.push(what)
    },
    standIn: (text, instead) => void standIns.push({ text, instead }),
    lines: () => lines,
    questions,
    left,
    needs,
    standIns,
  }
}

/** Text as comment lines, broken between words. */
export function commented(text: string, indent = ''): string[] {
  const lines: string[] = []
  for (const word of oneLine(text).split(' ')) {
    const last = lines.at(-1)
    if (last === undefined) lines.push(`${indent}# ${word}`)
    else if (last.length + 1 + word.length > width) lines.push(`${indent}#   ${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** What others wrote must not end a comment. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()

export type Plain = string | boolean | number | readonly Plain[] | { readonly [key: string]: Plain }

/** A value on one line. */
export function value(written: Plain): string {
  if (Array.isArray(written)) return `[${written.map(value).join(', ')}]`
  if (typeof written === 'object') {
    return `{ ${Object.entries(written)
      .map(([key, item]) => `${value(key)}: ${value(item)}`)
      .join(', ')} }`
  }
  if (typeof written !== 'string') return String(written)
  const isPlain = /^[\w/.@*^+-][\w\-/.@:+*^$=~ ]*$/.test(written) && !/: |:$|^[*@]| $/.test(written)
  // The parser's own idea of what would read as another type: `true`, `12`, `1e3`.
  return isPlain ? stringify(written, { lineWidth: 0 }).trimEnd() : JSON.stringify(written)
}
