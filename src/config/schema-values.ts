/** The kinds of single values the schema is made of. Each reads a text of the file into what the program uses. */
import { z } from 'zod'
import { quoted, Refused } from './refused.ts'

/** Reason and hint travel through zod as one message of two lines; `issues.ts` takes them apart. */
export const reasonAndHint = (reason: string, hint: string): string => `${reason}\n${hint}`

/** A text that `read` turns into a value, or refuses. */
export const text = <T>(read: (written: string) => T | Refused, wrongKind?: string) =>
  z.string(wrongKind === undefined ? {} : { error: wrongKind }).transform((written, context): T => {
    const value = read(written.trim())
    if (!(value instanceof Refused)) return value
    context.issues.push({ code: 'custom', input: written, message: reasonAndHint(value.reason, value.hint) })
    return z.NEVER
  })

/** A text leaf with the name the manual gives its kind: duration, size, URL, ... */
export const named = <T>(kind: string, read: (written: string) => T | Refused, wrongKind?: string) =>
  text(read, wrongKind).meta({ 'x-kind': kind })

/** Any text with something in it. */
export const plainText = () =>
  text((written) => (written === '' ? new Refused('is empty', 'write a value, or remove the key') : written))

/** A text that keeps its white space and may be empty (bodies, separators). */
export const rawText = () => z.string()

export const choice = <const T extends readonly [string, ...string[]]>(words: T) => z.enum(words)

/** `${NAME}` always gives text, so the text `true` counts too. */
export const yesOrNo = () =>
  z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean())

/** A whole number; its text counts too, as with `yesOrNo`. */
export const wholeNumber = (least: number, most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z
      .number()
      .int()
      .min(least, { error: `must be at least ${least}` })
      .max(most, { error: `must be at most ${most}` }),
  )

/** One value, or a list of them with at least one. */
export const oneOrMore = <S extends z.ZodType>(item: S) =>
  z
    .union([
      item,
      z.array(item).min(1, { error: reasonAndHint('is an empty list', 'name at least one, or remove the key') }),
    ])
    .transform((value): z.output<S>[] => (Array.isArray(value) ? value : [value]))

/** One value, or a list of them that may be empty. */
export const anyNumberOf = <S extends z.ZodType>(item: S) =>
  z.union([item, z.array(item)]).transform((value): z.output<S>[] => (Array.isArray(value) ? value : [value]))

export const list = <S extends z.ZodType>(item: S) => z.array(item)

/** A secret: its text, `{ env: NAME }` or `{ file: path }`. Read when the config is resolved. */
export const secretRef = () =>
  z.union([
    z.string().transform((written): SecretRef => ({ from: 'text', text: written })),
    z
      .strictObject({
        env: plainText().optional().meta({ description: 'Name of the environment variable that holds it.' }),
        file: plainText().optional().meta({ description: 'File that holds it; watched, so it can be rotated.' }),
      })
      .transform((written, context): SecretRef => {
        if (written.file !== undefined && written.env === undefined) return { from: 'file', file: written.file }
        if (written.env !== undefined && written.file === undefined) return { from: 'env', name: written.env }
        const message = reasonAndHint('needs exactly one of env and file', 'write { env: NAME } or { file: /path }')
        context.issues.push({ code: 'custom', input: written, message })
        return z.NEVER
      }),
  ])

/** Where a secret comes from. */
export type SecretRef =
  | { readonly from: 'text'; readonly text: string }
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly file: string }

/** A file named in the config; relative ones start beside it. */
export const fileRef = () => z.strictObject({ file: plainText().meta({ description: 'Path of the file; watched.' }) })

/** Names separated by nothing odd: for keys of `providers`, routes and cookies. */
export const word = () =>
  text((written) =>
    /^[A-Za-z0-9][\w.-]{0,63}$/.test(written)
      ? written
      : new Refused(
          `${quoted(written)} is not a plain name`,
          'use letters, digits, dot, dash and underscore, at most 64',
        ),
  )
