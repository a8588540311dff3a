import { configJsonSchema } from './json-schema.ts'
import { configurationPage } from './reference-page.ts'

/** The files of the repository that are made from the schema, by name from its root. */
export const generatedDocs = (): { file: string; text: string }[] => [
  { file: 'docs/configuration.md', text: configurationPage() },
  { file: 'config.schema.json', text: `${JSON.stringify(configJsonSchema(), undefined, 2)}\n` },
]
