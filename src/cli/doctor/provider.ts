import type { Examination } from './examination.ts'

/** The OpenID provider, and what it knows of our client. */
export const provider: Examination = {
  name: 'provider',
  examine: async () => [],
}
