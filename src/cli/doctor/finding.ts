/** What `doorward doctor` tells: one thing that is wrong, why, and the next step. */
import type { FindingName } from './finding-names.ts'

/**
 * `error`: people cannot sign in, or a door is open. `warning`: it works today and will hurt. `note`: nothing is wrong,
 * and somebody may wonder. `unseen`: the doctor could not look, which is said rather than taken for health.
 */
export type Severity = 'error' | 'warning' | 'note' | 'unseen'

export interface Finding {
  /** Stable, for scripts: `issuer-mismatch`. */
  readonly name: FindingName
  readonly severity: Severity
  /** Where: a key of the file (`provider.issuer`), an address, or a dependency. */
  readonly place: string
  /** What was seen, in one sentence, with both values where two differ. Never a secret or a token. */
  readonly cause: string
  /** What to do next: the line to change, or the command to run. */
  readonly fix: string
  /** A command of ours that does it too. */
  readonly command?: string
}
