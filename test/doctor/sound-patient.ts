/** A patient whose file is sound, save for the keys a test gives it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Asked, Patient } from '../../src/cli/doctor/examination.ts'
import type { SignedIn } from '../../src/cli/doctor/keycloak-sign-in.ts'
import { openSignIns } from '../../src/cli/doctor/sign-ins.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Proof } from '../../src/core/proof.ts'

export type Keys = Readonly<Record<string, unknown>>

const nothingAsked: Asked = {
  person: undefined,
  operations: undefined,
  through: undefined,
  keycloakAdmin: undefined,
  adminUrl: undefined,
}

export function patientWith(config: Config, asked: Partial<Asked> = {}): Patient {
  const signal = AbortSignal.timeout(30_000)
  const about = { config, isWritten: () => true, clock: systemClock, signal, asked: { ...nothingAsked, ...asked } }
  return { ...about, signIns: openSignIns(about) }
}

/** Whose `--user` was signed in with this outcome. */
export function signedInWith(config: Config, proof: Proof): Patient {
  const patient = patientWith(config)
  const signedIn: SignedIn = { proof, sources: {}, end: async () => undefined }
  return { ...patient, signIns: openSignIns(patient, async () => signedIn) }
}

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
