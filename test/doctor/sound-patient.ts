/** A patient whose file is sound, save for the keys a test gives it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Asked, Patient } from '../../src/cli/doctor/examination.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/core/clock.ts'

export type Keys = Readonly<Record<string, unknown>>

const nothingAsked: Asked = {
  person: undefined,
  operations: undefined,
  through: undefined,
  keycloakAdmin: undefined,
  adminUrl: undefined,
}

export const patientWith = (config: Config, asked: Partial<Asked> = {}): Patient => ({
  config,
  clock: systemClock,
  signal: AbortSignal.timeout(30_000),
  asked: { ...nothingAsked, ...asked },
})

/** A sound file, with these keys in place of its own. */
export function configOf(t: TestContext, keys: Keys): Config {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-doctor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'config.yaml')
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify({ ...sound, ...keys }))
  return loadConfig(file, {}).config
}

const sound: Keys = {
  version: 1,
  publicUrl: 'https://app.example.com',
  provider: {
    kind: 'keycloak',
    issuer: 'https://keycloak.example.com/realms/main',
    clientId: 'app',
    clientSecret: 'the-client-secret-of-the-doctor',
  },
  session: { store: 'cookie', secret: 'a-key-text-for-the-doctor-0123456789' },
  routes: [{ allow: 'signedIn', upstream: 'http://127.0.0.1:3000' }],
}
