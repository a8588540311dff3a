/** Makes the files of the Helm chart that are descriptions and defaults: schema, values, and the table of its README. */
import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { configJsonSchema, type SchemaNode } from '../src/config/json-schema.ts'
import { asYaml } from '../src/config/reference.ts'
import { type ChartValue, schemaOf } from './chart-value.ts'
import { chartValues } from './chart-values.ts'

const chart = 'charts/doorward'

/** Keys of the file that the chart writes itself. */
export const computedKeys = ['version', 'listen', 'forwardAuth', 'extAuthz', 'operations', 'workers'] as const

/** What the chart makes of `config` before anything is written: sessions that survive a restart, time to notice. */
const configFallback = { session: { store: 'cookie' }, limits: { drainDelay: '5s' } }

const config: ChartValue = {
  description: `Doorward’s file, with the keys of docs/configuration.md. The chart adds ${computedKeys.slice(0, 5).join(', ')}, the provider from \`keycloak\`, and the secrets. \`publicUrl\` and \`routes\` are needed.`,
  fallback: configFallback,
  schema: configSchema(),
}

/** In the order of values.yaml: the file comes after what decides most. */
const values: Readonly<Record<string, ChartValue>> = Object.fromEntries(
  Object.entries(chartValues).flatMap(([key, value]) =>
    key === 'secrets'
      ? [
          ['config', config],
          [key, value],
        ]
      : [[key, value]],
  ),
)

/** The file's schema without what the chart computes, and with nothing required that it fills in. */
function configSchema(): ChartValue['schema'] {
  const { properties = {}, type, additionalProperties } = withoutKind(configJsonSchema())
  const kept = Object.entries(properties)
    .filter(([key]) => !computedKeys.some((computed) => computed === key))
    .map(([key, node]) => [key, key === 'provider' ? { ...node, required: [] } : node])
  return { type: type!, properties: Object.fromEntries(kept), additionalProperties: additionalProperties! }
}

/** `x-kind` is a word for our own manual. */
function withoutKind<T>(node: T): T {
  if (Array.isArray(node)) return node.map(withoutKind) as T
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node).filter(([key]) => key !== 'x-kind')
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutKind(value)])) as T
}

function valuesSchema(): SchemaNode & Record<string, unknown> {
  const { definitions } = withoutKind(configJsonSchema())
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the Doorward chart',
    type: 'object',
    properties: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, schemaOf(value)])),
    additionalProperties: false,
    ...(definitions && { definitions }),
  }
}

const made = '# Made by `npm run docs` from scripts/chart-values.ts. Edit the descriptions there.\n'

const valuesFile = (): string => `${made}\n${Object.entries(values).flatMap(linesOf('')).join('\n')}\n`

const linesOf =
  (indent: string) =>
  ([key, { description, fallback, keys }]: [string, ChartValue]): string[] => {
    if (fallback === undefined) return []
    const comment = wrapped(description, 116 - indent.length).map((line) => `${indent}# ${line}`)
    const between = indent === '' ? [''] : []
    if (keys === undefined) return [...comment, ...yamlOf(key, fallback, indent), ...between]
    return [...comment, `${indent}${key}:`, ...Object.entries(keys).flatMap(linesOf(`${indent}  `)), ...between]
  }

const yamlOf = (key: string, value: unknown, indent: string): string[] =>
  stringify({ [key]: value }, { lineWidth: 0, defaultStringType: 'PLAIN' })
    .trimEnd()
    .split('\n')
    .map((line) => indent + line)

function wrapped(sentence: string, width: number): string[] {
  const lines = ['']
  for (const word of sentence.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

/** All values as they are without a word of the person; templates fill in what an older release did not know. */
const defaultsFile = (): string => made + stringify(defaults(), { lineWidth: 0 })

export const defaults = (): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([, { fallback }]) => fallback !== undefined)
      .map(([key, { fallback }]) => [key, fallback]),
  )

const table = (): string =>
  ['| Value | Default | Meaning |', '|---|---|---|', ...Object.entries(values).flatMap(rowsOf(''))].join('\n')

const rowsOf =
  (prefix: string) =>
  ([key, { description, fallback, keys }]: [string, ChartValue]): string[] => {
    const shown = fallback === undefined || keys !== undefined ? '' : `\`${asYaml(fallback) || '""'}\``
    const row = `| \`${prefix}${key}\` | ${shown} | ${description.replaceAll('|', '\\|')} |`
    return [row, ...Object.entries(keys ?? {}).flatMap(rowsOf(`${prefix}${key}.`))]
  }

const readme = `${chart}/README.md`
const marked = /(<!-- values: begin -->\n)[\s\S]*(<!-- values: end -->)/

function readmeFile(root: URL): string {
  const text = readFileSync(new URL(readme, root), 'utf8')
  return text.replace(marked, (_, begin: string, end: string) => `${begin}${table()}\n${end}`)
}

/** @param root of the repository: the README's own words are read from there */
export const chartFiles = (root: URL): { file: string; text: string }[] => [
  { file: `${chart}/values.schema.json`, text: `${JSON.stringify(valuesSchema(), undefined, 2)}\n` },
  { file: `${chart}/values.yaml`, text: valuesFile() },
  { file: `${chart}/files/defaults.yaml`, text: defaultsFile() },
  { file: readme, text: readmeFile(root) },
]
