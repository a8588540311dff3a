import type { TemplatePart } from './headers-config.ts'
import { quoted, Refused } from './refused.ts'
import { nearest } from './spelling.ts'

const fields = ['sub', 'username', 'email', 'name', 'groups', 'accessToken', 'idToken'] as const

/** Reads `{sub}`, `{claim:department}`, `Bearer {accessToken}`; `{{` and `}}` are literal braces. */
export function parseTemplate(written: string): readonly TemplatePart[] | Refused {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(written)) return new Refused('holds a control character', 'write it on one line')
  const parts: TemplatePart[] = []
  for (const token of written.match(/\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+/g) ?? []) {
    const part = readToken(token)
    if (part instanceof Refused) return part
    parts.push(part)
  }
  return mergeText(parts)
}

function readToken(token: string): TemplatePart | Refused {
  if (token === '{{' || token === '}}') return { kind: 'text', text: token.slice(1) }
  if (token === '{' || token === '}')
    return new Refused(`has a ${token} without its partner`, 'write {{ or }} for a literal brace')
  if (!token.startsWith('{')) return { kind: 'text', text: token }
  const name = token.slice(1, -1)
  const field = fields.find((known) => known === name)
  if (field !== undefined) return { kind: field }
  if (name.startsWith('claim:') && name.length > 'claim:'.length)
    return { kind: 'claim', claim: name.slice('claim:'.length) }
  const meant = nearest(name, fields)
  const known = `${fields.map((known) => `{${known}}`).join(', ')} or {claim:NAME}`
  return new Refused(`${quoted(token)} is not known`, meant === undefined ? `use ${known}` : `did you mean {${meant}}?`)
}

function mergeText(parts: readonly TemplatePart[]): readonly TemplatePart[] {
  const merged: TemplatePart[] = []
  for (const part of parts) {
    const last = merged.at(-1)
    if (part.kind !== 'text' || last?.kind !== 'text') merged.push(part)
    else merged[merged.length - 1] = { kind: 'text', text: last.text + part.text }
  }
  return merged
}
