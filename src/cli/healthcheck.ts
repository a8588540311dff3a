import { get } from 'node:http'
import type { ListenAddress } from '../config/config.ts'
import { findConfigFile, readConfig } from './config-file.ts'
import { type Call, CommandError, type ExitCode } from './world.ts'

/** Milliseconds; a process whose event loop does not turn for so long is not well. */
const patience = 2_500

/**
 * `doorward healthcheck [--ready]`: asks the running process of this machine, for a container that has neither shell
 * nor curl.
 */
export async function healthcheck(call: Call): Promise<ExitCode> {
  const { operations } = readConfig(findConfigFile(call), call.world).config
  if (operations === undefined) {
    throw new CommandError('the file turns the operations listener off', 'write operations: 127.0.0.1:9180')
  }
  const path = call.options.flag('ready') ? '/readyz' : '/healthz'
  const url = `http://${hostOf(operations)}:${operations.port}${path}`
  const { status, body } = await ask(url)
  if (status === 200) return 0
  call.out.fail(`${url} answered ${status}: ${body.slice(0, 500)}`)
  return 1
}

/** A listener on all addresses is asked on loopback. */
function hostOf({ host }: ListenAddress): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function ask(url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(new CommandError(`${url}: ${reason}`, 'is `doorward serve` running with this file?'))
    const request = get(url, { agent: false, timeout: patience }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', (error) => fail(error.message))
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${patience} ms`)))
    request.on('error', (error) => fail(error.message))
  })
}
