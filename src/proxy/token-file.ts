import { readFileSync, statSync } from 'node:fs'
import { GatewayError } from '../core/errors.ts'

/** Credentials that something else keeps fresh: a Kubernetes service account's token, renewed by the kubelet. */
export interface TokenFile {
  /**
   * The token as the file holds it at this moment. A look at the file each time, which a file system in memory answers
   * in microseconds; it is read where it changed.
   * @throws GatewayError `token_file_unreadable` where there is none: nothing may leave without it
   */
  token(): string
}

const largest = 64 * 1024

/** Opens nothing yet: the file may appear later. @param path absolute; symbolic links are followed at every look */
export function createTokenFile(path: string): TokenFile {
  let known = { identity: '', token: '' }

  function token(): string {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    const identity = `${ino} ${size} ${mtimeNs} ${ctimeNs}`
    if (identity !== known.identity) known = { identity, token: read(path, size) }
    return known.token
  }

  return {
    token() {
      try {
        return token()
      } catch (cause) {
        known = { identity: '', token: '' }
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new GatewayError('token_file_unreadable', `the token for the upstream: ${why}`, { cause })
      }
    },
  }
}

/** No message of this function holds any part of the token. */
function read(path: string, size: bigint): string {
  if (size > largest) throw new Error(`${path} is larger than ${largest / 1024} KiB`)
  const text = readFileSync(path, 'utf8').trim()
  if (text === '') throw new Error(`${path} is empty`)
  // RFC 6750 2.1: what a Bearer header can hold, in one piece.
  if (!/^[\w~+/.-]+=*$/.test(text)) throw new Error(`${path} holds no token`)
  return text
}
