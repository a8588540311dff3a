import { networkInterfaces } from 'node:os'
import type { Secret } from '../core/secret.ts'
import type { Environment } from './interpolate.ts'
import { readConfigFile } from './read.ts'
import { type Resolved, resolveConfig } from './resolve.ts'
import type { NetworkInterfaces } from './warnings.ts'

export interface LoadOptions {
  /** Addresses of this machine; the system's unless given. */
  readonly networkInterfaces?: NetworkInterfaces
  /** The made-up key of the running config (`session.ephemeral`), so that a reload keeps its sessions. */
  readonly ephemeralSecret?: Secret | undefined
}

/**
 * Reads a config file into what will run.
 * @throws ConfigError with every problem of the file
 */
export function loadConfig(path: string, env: Environment, options: LoadOptions = {}): Resolved {
  return resolveConfig(readConfigFile(path, env), {
    env,
    networkInterfaces: options.networkInterfaces ?? networkInterfaces(),
    ephemeralSecret: options.ephemeralSecret,
  })
}
