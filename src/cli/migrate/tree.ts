/** Readers of YAML that others wrote: nothing in it is taken to have a shape. */
import { parseAllDocuments } from 'yaml'

/** The value of an own key; undefined for whatever has none. */
export const at = (node: unknown, key: string): unknown =>
  isMap(node) && Object.hasOwn(node, key) ? Object.getOwnPropertyDescriptor(node, key)?.value : undefined

/** Down several keys. */
export const below = (node: unknown, ...keys: readonly string[]): unknown => keys.reduce(at, node)

export const isMap = (node: unknown): node is object =>
  typeof node === 'object' && node !== null && !Array.isArray(node)

/** Texts of a value or of a list of them; numbers and switches are texts too. */
export const strings = (node: unknown): string[] =>
  (Array.isArray(node) ? node : [node]).flatMap((item) =>
    typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean' ? [String(item)] : [],
  )

export const textAt = (node: unknown, key: string): string | undefined => strings(at(node, key))[0]

export function listAt(node: unknown, key: string): readonly unknown[] {
  const found = at(node, key)
  return Array.isArray(found) ? found : []
}

/** Every document of a YAML file that is a map or a list. Undefined where the text is no YAML, or no such thing. */
export function documentsIn(text: string): readonly unknown[] | undefined {
  // `<<` of compose files; an anchor for each line of a bomb is refused.
  const documents = parseAllDocuments(text, { merge: true, logLevel: 'silent' })
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return undefined
  try {
    const trees: unknown[] = documents.map((document) => document.toJS({ maxAliasCount: 100 }))
    const shaped = trees.filter((tree) => typeof tree === 'object' && tree !== null)
    return shaped.length > 0 ? shaped : undefined
  } catch {
    return undefined
  }
}
