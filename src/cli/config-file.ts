/** Which config file a command works on, and how it is read. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import type { Resolved } from '../config/resolve.ts'
import type { Secret } from '../core/secret.ts'
import { type Call, UsageError, type World } from './world.ts'

export interface ConfigFile {
  /** As messages name it. */
  readonly shown: string
  readonly path: string
}

const usual = ['./doorward.yaml', '/etc/doorward/config.yaml']

/**
 * `--config`, else `DOORWARD_CONFIG`, else the first of the usual places that has one.
 * @throws UsageError naming every place that was looked at
 */
export function findConfigFile({ options, world }: Pick<Call, 'options' | 'world'>): ConfigFile {
  const named = options.text('config')
  if (named !== undefined) return existing(named, world, 'the config file')
  const fromEnv = world.env.DOORWARD_CONFIG
  if (fromEnv !== undefined && fromEnv !== '') return existing(fromEnv, world, 'the file that DOORWARD_CONFIG names')
  const found = usual.map((place) => at(place, world)).find((file) => existsSync(file.path))
  if (found !== undefined) return found
  throw new UsageError(
    `there is no config file: looked for ${usual.join(' and ')}, and DOORWARD_CONFIG is not set`,
    'name one with --config FILE, start from config.example.yaml, or try `doorward demo` first',
  )
}

function existing(named: string, world: World, what: string): ConfigFile {
  const file = at(named, world)
  if (existsSync(file.path)) return file
  throw new UsageError(`${what}, ${named}, does not exist`, `looked at ${file.path}; start from config.example.yaml`)
}

const at = (named: string, { cwd }: World): ConfigFile => ({ shown: named, path: path.resolve(cwd, named) })

/**
 * Reads the file into what will run.
 * @param ephemeralSecret the made-up key of the running gateway, so that a reload ends no session
 * @throws ConfigError that names the file as the person did
 */
export function readConfig({ shown, path: file }: ConfigFile, { env }: World, ephemeralSecret?: Secret): Resolved {
  try {
    return loadConfig(file, env, { ephemeralSecret })
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(shown, error.problems) : error
  }
}
