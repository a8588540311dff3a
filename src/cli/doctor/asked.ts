/** What the person who calls the doctor adds to the file. Passwords come from the environment or standard input. */
import { Secret } from '../../core/secret.ts'
import { readAdminAccess, readAdminUrl } from '../keycloak/admin-access.ts'
import { type Call, UsageError } from '../world.ts'
import type { Asked } from './examination.ts'

/** @throws UsageError where an option lacks its password, two contradict each other, or an address is none */
export async function readAsked(call: Call): Promise<Asked> {
  return {
    keycloakAdmin: await readAdminAccess(call),
    adminUrl: readAdminUrl(call),
    operations: addressOf(call, 'operations'),
    through: addressOf(call, 'through'),
    person: await personOf(call),
  }
}

async function personOf(call: Call): Promise<Asked['person']> {
  const { options, world } = call
  const username = options.text('user')
  const written = options.text('password')
  if (written !== undefined && written !== '-') {
    throw new UsageError('--password takes no password, since others could read it there', 'write `--password -`')
  }
  if (username === undefined) {
    if (written === undefined) return undefined
    throw new UsageError('--password says nothing without --user', 'add --user NAME')
  }
  const password = written === '-' ? await firstLine(world.stdin) : world.env.DOORWARD_DOCTOR_PASSWORD
  if (password !== undefined && password !== '') return { username, password: new Secret(password) }
  throw new UsageError(
    `there is no password for --user ${username}`,
    'set DOORWARD_DOCTOR_PASSWORD, or write `--password -` and give it on standard input',
  )
}

async function firstLine(stdin: AsyncIterable<string | Uint8Array>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1)[0]!
}

function addressOf({ options }: Call, option: string): URL | undefined {
  const written = options.text(option)
  if (written === undefined) return undefined
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new UsageError(`--${option}: "${written}" is not an http address`, `write --${option} https://host/path`)
}
