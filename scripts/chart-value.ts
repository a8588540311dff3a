/** How a value of the Helm chart is described: its meaning, its default and its shape, once for all that is made of it. */
import type { SchemaNode } from '../src/config/json-schema.ts'

export interface ChartValue {
  readonly description: string
  /** Undefined: the key is not in values.yaml. */
  readonly fallback: unknown
  readonly schema: SchemaNode & { readonly [keyword: string]: unknown }
  /** Of a map whose keys are known; each is described by itself. */
  readonly keys?: Readonly<Record<string, ChartValue>>
}

export const text = (description: string, fallback = '', more: object = {}): ChartValue => ({
  description,
  fallback,
  schema: { type: 'string', ...more },
})

export const choice = (description: string, words: readonly string[], fallback: string): ChartValue => ({
  description,
  fallback,
  schema: { type: 'string', enum: words },
})

export const yesOrNo = (description: string, fallback: boolean): ChartValue => ({
  description,
  fallback,
  schema: { type: 'boolean' },
})

export const wholeNumber = (description: string, fallback: number, minimum = 0, maximum = 100_000): ChartValue => ({
  description,
  fallback,
  schema: { type: 'integer', minimum, maximum },
})

/** A TCP port that a process without privileges may listen on. */
export const port = (description: string, fallback: number): ChartValue =>
  wholeNumber(description, fallback, 1024, 65_535)

export const listOf = (description: string, items: SchemaNode, fallback: readonly unknown[] = []): ChartValue => ({
  description,
  fallback,
  schema: { type: 'array', items },
})

/** Something of Kubernetes, passed on as it is: the API server knows its shape. */
export const passed = (description: string, fallback: object = {}): ChartValue => ({
  description,
  fallback,
  schema: { type: Array.isArray(fallback) ? 'array' : 'object' },
})

export const stringMap = (description: string): ChartValue => ({
  description,
  fallback: {},
  schema: { type: 'object', additionalProperties: { type: 'string' } },
})

/** A map with known keys; any other key is refused. */
export const group = (description: string, keys: Readonly<Record<string, ChartValue>>): ChartValue => ({
  description,
  fallback: Object.fromEntries(
    Object.entries(keys)
      .filter(([, { fallback }]) => fallback !== undefined)
      .map(([key, { fallback }]) => [key, fallback]),
  ),
  schema: {
    type: 'object',
    properties: Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, schemaOf(value)])),
    additionalProperties: false,
  },
  keys,
})

/** What values.schema.json says of it. */
export const schemaOf = ({ description, schema }: ChartValue): SchemaNode => ({ description, ...schema })
