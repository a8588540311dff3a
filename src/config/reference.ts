/** The manual of the file, made from the schema: one description feeds the page, the help and the editors. */
import { configJsonSchema, formsOf, type SchemaNode } from './json-schema.ts'
import { orList } from './refused.ts'

/** One key of the file, described. */
export interface ReferenceEntry {
  /** `session.idle`, `routes[].allow.groups`, `providers.<name>.issuer`. */
  readonly path: string
  /** Path of the map the key stands in; empty for the top level. */
  readonly section: string
  readonly key: string
  readonly type: string
  readonly required: boolean
  readonly fallback: unknown
  readonly description: string
  readonly examples: readonly unknown[]
  /** Path of the section with the keys of its map, where it has one. */
  readonly opens: string | undefined
}

/** Every key of the file in the order of the schema, a map's keys after it. */
export function referenceEntries(): ReferenceEntry[] {
  const root = configJsonSchema()
  return entriesOf(root, root, '', new Set())
}

function entriesOf(
  root: SchemaNode,
  node: SchemaNode,
  section: string,
  open: ReadonlySet<SchemaNode>,
): ReferenceEntry[] {
  const maps = formsOf(root, node).filter((form) => form.properties !== undefined)
  return maps
    .filter((map) => !open.has(map))
    .flatMap((map) =>
      Object.entries(map.properties ?? {}).flatMap(([key, child]) => {
        const entry = entryOf(root, map, section, key, child)
        const inside = new Set([...open, map])
        const deeper = repeats(root, child, inside) ? [] : nestedOf(root, entry.path, child, inside)
        return [{ ...entry, opens: deeper[0]?.section }, ...deeper]
      }),
    )
}

/** Requirements hold requirements: they are described once. */
const repeats = (root: SchemaNode, child: SchemaNode, open: ReadonlySet<SchemaNode>): boolean =>
  formsOf(root, child).some(
    (form) => open.has(form) || (form.items !== undefined && formsOf(root, form.items).some((item) => open.has(item))),
  )

function nestedOf(root: SchemaNode, path: string, child: SchemaNode, open: ReadonlySet<SchemaNode>): ReferenceEntry[] {
  return formsOf(root, child).flatMap((form) => {
    if (form.properties !== undefined) return isSecret(form) ? [] : entriesOf(root, form, path, open)
    if (form.items !== undefined) return nestedOf(root, `${path}[]`, form.items, open)
    if (typeof form.additionalProperties === 'object')
      return nestedOf(root, `${path}.<name>`, form.additionalProperties, open)
    return []
  })
}

function entryOf(root: SchemaNode, map: SchemaNode, section: string, key: string, child: SchemaNode): ReferenceEntry {
  return {
    path: section === '' ? key : `${section}.${key}`,
    section,
    key,
    type: orList([...new Set(formsOf(root, child).flatMap((form) => typeOf(root, form)))]),
    required: map.required?.includes(key) ?? false,
    fallback: child.default,
    description: child.description ?? '',
    examples: child.examples ?? [],
    opens: undefined,
  }
}

/** `{ env }` and `{ file }` have a type of their own instead of a section. */
const isSecret = ({ properties }: SchemaNode): boolean =>
  properties?.file !== undefined && Object.keys(properties).every((key) => key === 'env' || key === 'file')

function typeOf(root: SchemaNode, form: SchemaNode): string[] {
  if (form['x-kind'] !== undefined) return [form['x-kind']]
  if (form.const !== undefined) return [`\`${String(form.const)}\``]
  if (form.enum !== undefined) return form.enum.map((word) => `\`${String(word)}\``)
  if (form.type === 'array') {
    const items = [...new Set(formsOf(root, form.items ?? {}).flatMap((item) => typeOf(root, item)))]
    return [`list of ${items.some((item) => item === 'map') ? 'maps' : orList(items)}`]
  }
  if (form.type === 'object') return isSecret(form) ? secretTypes(form) : ['map']
  return form.type === undefined ? [] : [typeNames[form.type] ?? form.type]
}

const secretTypes = ({ properties }: SchemaNode): string[] =>
  properties?.env === undefined ? ['`{ file }`'] : ['`{ file }`', '`{ env }`']
const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: '`true` or `false`',
  integer: 'whole number',
}

/** An empty map or list as default says no more than "optional". */
export const isWorthSaying = (fallback: unknown): boolean =>
  fallback !== undefined && !(typeof fallback === 'object' && fallback !== null && Object.keys(fallback).length === 0)

/** A value on one line, as the file would have it. */
export function asYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asYaml).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, item]) => `${key}: ${asYaml(item)}`)
    return `{ ${pairs.join(', ')} }`
  }
  const needsQuotes =
    typeof value === 'string' &&
    (/^[\s{[&*!|>'"%@`#]|:(?: |$)|^$| #/.test(value) || /^[\d.]+$|^(?:true|false|null|off)$/.test(value))
  return needsQuotes ? JSON.stringify(value) : String(value)
}
