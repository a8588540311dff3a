/** What a real sign-in brings, and whether it fits and is taken. */
import type { Examination } from './examination.ts'
import { examineSizes } from './header-sizes.ts'
import { examineUpstreamTokens } from './upstream-tokens.ts'

export const personBrings: Examination = {
  name: 'what a person brings',
  examine: async (patient) => [...(await examineSizes(patient)), ...(await examineUpstreamTokens(patient))],
}
