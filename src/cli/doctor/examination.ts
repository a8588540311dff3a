import type { LookupFunction } from 'node:net'
import type { Config } from '../../config/config.ts'
import type { KeyPath } from '../../config/problems.ts'
import type { Clock } from '../../core/clock.ts'
import type { Secret } from '../../core/secret.ts'
import type { KeycloakAdminAccess } from '../keycloak/admin-access.ts'
import type { Finding } from './finding.ts'
import type { SignIns } from './sign-ins.ts'

/** What is looked at, and by whose eyes. */
export interface Case {
  readonly config: Config
  /** Whether the file says it itself: `['session', 'idle']`. Else a default stands there. */
  isWritten(place: KeyPath): boolean
  /** The same view of the world as the running process has: the doctor runs beside it, in the same container. */
  readonly clock: Clock
  /** Ends all looking: Ctrl-C, or the whole deadline. */
  readonly signal: AbortSignal
  readonly asked: Asked
  /** Resolves the names of providers; the system's, unless a test has names of its own. */
  readonly lookup?: LookupFunction | undefined
}

/** What every examination may look at. */
export interface Patient extends Case {
  readonly signIns: SignIns
}

/** What the person who calls the doctor adds to the file. */
export interface Asked {
  /** `--user` and its password from the environment or standard input: lets the doctor sign in for real. */
  readonly person: { readonly username: string; readonly password: Secret } | undefined
  /** `--operations`: where the running process answers /status; undefined: `operations` of the file. */
  readonly operations: URL | undefined
  /** `--through`: a protected address as browsers reach it, through the gateway in front. */
  readonly through: URL | undefined
  /** `--admin-user`/service account: lets it read the client's and realm's settings at Keycloak. */
  readonly keycloakAdmin: KeycloakAdminAccess | undefined
  /** `--admin-url`: Keycloak for administrators, where it has its own address. */
  readonly adminUrl: URL | undefined
}

/** One room of the examination; it looks and changes nothing. A fault of its own becomes an `unseen` finding. */
export interface Examination {
  /** Shown while it runs: `issuer and keys`. */
  readonly name: string
  examine(patient: Patient): Promise<readonly Finding[]>
}
