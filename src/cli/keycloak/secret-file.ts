/** Writing a client's secret where its owner alone can read it. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Secret } from '../../core/secret.ts'
import { CommandError } from '../world.ts'

export interface SecretFile {
  /** As the person named it. */
  readonly shown: string
  readonly path: string
  readonly mayOverwrite: boolean
}

/**
 * Whether there is something to write.
 * @throws CommandError where another text stands there, or nothing can be written
 */
export function needsWriting({ shown, path: file, mayOverwrite }: SecretFile, secret: Secret): boolean {
  if (!existsSync(file)) {
    if (existsSync(path.dirname(file))) return true
    throw new CommandError(`--secret-file ${shown}: there is no folder ${path.dirname(file)}`, 'make it first')
  }
  if (textOf(file, shown) === secret.reveal()) return false
  if (mayOverwrite) return true
  const message = `--secret-file ${shown}: the file exists and holds something else`
  throw new CommandError(message, 'name another file, or add --force to replace its text')
}

/** Mode 0600. It comes to be whole or not at all, and no link is followed. @throws CommandError */
export function writeSecretFile({ shown, path: file, mayOverwrite }: SecretFile, secret: Secret): void {
  const target = mayOverwrite ? `${file}.${process.pid}.new` : file
  try {
    writeFileSync(target, secret.reveal(), { mode: 0o600, flag: 'wx' })
    if (mayOverwrite) renameSync(target, file)
  } catch (cause) {
    if (mayOverwrite) rmSync(target, { force: true })
    const message = `--secret-file ${shown}: it cannot be written (${codeOf(cause)})`
    throw new CommandError(message, 'Keycloak is set up; run it again with a file that can be written', { cause })
  }
}

function textOf(file: string, shown: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new CommandError(`--secret-file ${shown}: it cannot be read (${codeOf(cause)})`, 'name another file', {
      cause,
    })
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
