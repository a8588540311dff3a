/** Secrets in the new file: where each comes from, never what it is. */
import { type Draft, value } from './draft.ts'
import type { Given, GivenSecret, Settings } from './given.ts'
import type { SettingName } from './settings.ts'

export interface SecretLine {
  readonly depth: number
  readonly key: string
  /** Settings that hold it: the text, and the file. */
  readonly text: SettingName
  readonly file?: SettingName
  /** Where it is put if it stood in clear. */
  readonly fallback: string
  /** In a sentence: "the client secret". */
  readonly what: string
  /** Characters it needs; then one that is known to be shorter is not taken over. */
  readonly least?: number
}

/** @returns whether there was one to refer to */
export function writeSecret(draft: Draft, settings: Settings, line: SecretLine): boolean {
  const given = chosen(settings, line)
  if (given === undefined) return false
  const { place, secret } = given
  const weak = line.least !== undefined && isShorter(secret, line.least)
  const reference = weak || secret.from === 'clear' ? { file: line.fallback } : referenceTo(secret)
  draft.line(line.depth, `${line.key}: ${referenceText(draft, reference)}`, place)
  if (weak) {
    draft.need(
      `${line.fallback}: ${line.what}; theirs is shorter than ${line.least} characters, so make a new one: ${makeOne}`,
    )
  } else if (secret.from === 'clear') {
    draft.need(`${line.fallback}: ${line.what}, which stands in clear at ${place}; that text is not in this file`)
  } else if (secret.from === 'env') draft.need(`$${secret.variable}: ${line.what}`)
  else draft.need(`${secret.file}: ${line.what}`)
  if (line.least !== undefined && knownText(secret) === undefined) {
    draft.remark(line.depth, `If it has fewer than ${line.least} characters it is refused; make one with: ${makeOne}`)
  }
  return true
}

export const makeOne = 'openssl rand -hex 32'

interface Chosen {
  readonly place: string
  readonly secret: GivenSecret
}

function chosen(settings: Settings, { text, file }: SecretLine): Chosen | undefined {
  const direct = settings.get(text)
  if (direct?.secret !== undefined) return { place: direct.place, secret: direct.secret }
  const named: Given | undefined = file === undefined ? undefined : settings.get(file)
  const path = named?.values.at(-1)
  return named === undefined || path === undefined
    ? undefined
    : { place: named.place, secret: { from: 'file', file: path } }
}

function isShorter(secret: GivenSecret, least: number): boolean {
  const known = knownText(secret)
  return known !== undefined && known.reveal().trim().length < least
}

const knownText = (secret: GivenSecret) =>
  secret.from === 'clear' ? secret.text : secret.from === 'env' ? secret.known : undefined

const referenceTo = (secret: Exclude<GivenSecret, { from: 'clear' }>) =>
  secret.from === 'env' ? { env: secret.variable } : { file: secret.file }

/** For the trial another text stands in: the secret itself is not here, or not to be read. */
export function referenceText(draft: Draft, reference: { readonly env: string } | { readonly file: string }): string {
  const text = value(reference)
  draft.standIn(text, '"a5f0c1d2e3b4968778695a4b3c2d1e0f"')
  return text
}
