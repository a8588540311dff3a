import { z } from 'zod'
import type { KeyPath } from './problems.ts'
import { configFileSchema } from './schema.ts'

/** The part of a JSON Schema that our own walks need. */
export interface SchemaNode {
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | boolean
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly allOf?: readonly SchemaNode[]
  readonly $ref?: string
  /** What the manual calls this kind of text. */
  readonly 'x-kind'?: string
  readonly definitions?: Readonly<Record<string, SchemaNode>>
}

/** zod drops the examples of values that are transformed, because they could be of the other side. Ours are as written. */
const keepExamples = ({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodType
  jsonSchema: z.core.JSONSchema.BaseSchema
}) => {
  const examples = z.globalRegistry.get(zodSchema)?.examples
  if (Array.isArray(examples)) jsonSchema.examples = examples
}

function makeJsonSchema(): SchemaNode {
  // zod calls its result JSONSchema.BaseSchema; this is the same tree with fewer names.
  const schema = z.toJSONSchema(configFileSchema, {
    io: 'input',
    target: 'draft-7',
    override: keepExamples,
  }) as SchemaNode
  return { ...schema, title: 'Doorward configuration' }
}

let made: SchemaNode | undefined

/**
 * The schema of the file for editors: JSON Schema draft 7, which YAML editors read best. A constant made at the
 * first question: it takes some 20 ms, every problem asks for it, and a right file never does.
 */
export function configJsonSchema(): SchemaNode {
  made ??= makeJsonSchema()
  return made
}

/** The node for a place of the file; list positions and names of `providers` count as any. */
export function nodeAt(root: SchemaNode, path: KeyPath): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>((node, step) => {
    if (node === undefined) return undefined
    const forms = formsOf(root, node)
    if (typeof step === 'number') return forms.find((form) => form.items !== undefined)?.items
    const named = forms.find((form) => form.properties?.[step] !== undefined)?.properties?.[step]
    return named ?? forms.map((form) => form.additionalProperties).find((other) => typeof other === 'object')
  }, root)
}

/** The node itself and all alternatives it stands for, references followed. */
export function formsOf(root: SchemaNode, node: SchemaNode): SchemaNode[] {
  const target = node.$ref === undefined ? undefined : root.definitions?.[node.$ref.slice('#/definitions/'.length)]
  const others = [...(node.anyOf ?? []), ...(node.allOf ?? []), ...(target === undefined ? [] : [target])]
  return [node, ...others.flatMap((other) => formsOf(root, other))]
}

/** Keys a map at this place may have. */
export const keysAt = (root: SchemaNode, path: KeyPath): string[] => {
  const node = nodeAt(root, path)
  return node === undefined ? [] : formsOf(root, node).flatMap((form) => Object.keys(form.properties ?? {}))
}
