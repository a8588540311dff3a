/** The config file of oauth2-proxy (TOML), by the names of its settings. */
import type { Environment } from '../../config/interpolate.ts'
import { give, type Source } from './given.ts'
import { settingNamed } from './settings.ts'
import { readToml } from './toml.ts'

/**
 * @param file named in comments, with the line
 * @throws CommandError for what is no TOML of this kind
 */
export function tomlSettings(text: string, file: string, env: Environment): Source {
  const entries = readToml(text, file).map((entry) => ({
    ...entry,
    name: settingNamed(entry.key),
    place: `${entry.key} (${file}:${entry.line})`,
  }))
  return {
    given: entries.flatMap(({ name, values, isList, place }) =>
      name === undefined ? [] : [give(name, values, place, { env, isList })],
    ),
    unknown: entries.filter(({ name }) => name === undefined).map(({ key, place }) => ({ written: key, place })),
  }
}
