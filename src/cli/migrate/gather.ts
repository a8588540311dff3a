/** Every source somebody names, read and merged as oauth2-proxy would: file, then environment, then flags; alpha above all. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Call, CommandError, UsageError } from '../world.ts'
import { merge, type Settings, type Source } from './given.ts'
import { type Alpha, readAlpha } from './read-alpha.ts'
import { readEnvironment, variablesIn } from './read-environment.ts'
import { readFlags } from './read-flags.ts'
import { readManifest } from './read-manifest.ts'
import { tomlSettings } from './toml-settings.ts'

export interface Gathered {
  readonly settings: Settings
  readonly alpha: Alpha | undefined
  /** Files that flags name and that are not here. */
  readonly missing: readonly { readonly place: string; readonly file: string }[]
}

/** @throws UsageError where there is nothing to read, CommandError where a source cannot be read */
export function gather({ options, positionals, world }: Call): Gathered {
  const { env } = world
  const read = (file: string) => readText(file, world.cwd)
  const source = options.text('args-file')
  const manifest = source === undefined ? undefined : readManifest(read(source), source, env)
  const envFile = options.text('env-file')
  const environment: Source[] = [
    readEnvironment(new Map(Object.entries(env))),
    ...(manifest?.variables ?? []),
    ...(envFile === undefined ? [] : [readEnvironment(variablesIn(read(envFile)), envFile)]),
  ]
  const flags: Source[] = [...(manifest?.flags ?? []), readFlags(positionals.slice(1), env)]
  const named = merge([...environment, ...flags])
  const missing: { place: string; file: string }[] = []
  const fileOf = (own: string | undefined, theirs: 'config' | 'alpha-config'): string | undefined => {
    const file = named.text(theirs)
    if (own !== undefined || file === undefined || existsSync(path.resolve(world.cwd, file))) return own ?? file
    // The manifest holds the file that its container reads.
    if (theirs === 'config' ? manifest?.files.length : manifest?.alpha) return undefined
    missing.push({ place: named.place(theirs), file })
    return undefined
  }
  const cfg = fileOf(options.text('cfg'), 'config')
  const alphaFile = fileOf(options.text('alpha-config'), 'alpha-config')
  const toml = [...(manifest?.files ?? []), ...(cfg === undefined ? [] : [tomlSettings(read(cfg), cfg, env)])]
  const alpha = alphaFile === undefined ? manifest?.alpha : readAlpha(read(alphaFile), alphaFile, env)
  const settings = merge([...toml, ...environment, ...flags, ...(alpha === undefined ? [] : [alpha])])
  if (settings.all.length === 0 && settings.unknown.length === 0) throw nothingToRead()
  return { settings, alpha, missing }
}

const nothingToRead = () =>
  new UsageError(
    'there is nothing of oauth2-proxy to read',
    'name its file with --cfg FILE, or give its flags: `doorward migrate oauth2-proxy -- --provider=oidc ...`',
  )

/** No configuration is larger. */
const largest = 1024 * 1024

function readText(file: string, cwd: string): string {
  try {
    const text = readFileSync(path.resolve(cwd, file), 'utf8')
    if (text.length <= largest) return text
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new CommandError(`${file}: it cannot be read (${code})`, 'name a file that is there', { cause })
  }
  throw new CommandError(`${file}: it is larger than 1 MiB`, 'name the file of oauth2-proxy')
}
