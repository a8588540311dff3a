/** What a real sign-in of `--user` brings, for whoever has to see what becomes of it. */
import type { Proof } from '../../core/proof.ts'
import { LoginFailure } from '../../oidc/failure.ts'
import type { Patient } from './examination.ts'
import { SignInRefused, signInAtKeycloak } from './keycloak-sign-in.ts'
import { openVisit } from './provider-visit.ts'

export type PersonSignIn =
  | { readonly kind: 'signed-in'; readonly proof: Proof; end(): Promise<void> }
  /** Why there was none, in words for people. */
  | { readonly kind: 'unseen'; readonly why: string }

/** One sign-in in the course of an examination; further ones are the same. @param provider of the route; undefined: the first */
export type SignInOnce = (provider: string | undefined) => Promise<PersonSignIn>

/** @param name of the provider in the file */
export async function signInPerson(patient: Patient, name: string): Promise<PersonSignIn> {
  const { config, asked, signal } = patient
  const provider = config.providers.find((one) => one.name === name)
  if (asked.person === undefined) return { kind: 'unseen', why: 'nobody was signed in' }
  if (provider?.kind !== 'keycloak') return { kind: 'unseen', why: 'the doctor can sign in at Keycloak alone' }
  const visit = openVisit(patient, provider)
  const { allowInsecureHttp } = config
  const request = { redirectUri: visit.uris.redirectUris[0]!, person: asked.person, allowInsecureHttp, signal }
  try {
    const signedIn = await signInAtKeycloak(visit.oidc, request)
    const end = () => signedIn.end().finally(visit.close)
    return { kind: 'signed-in', proof: signedIn.proof, end }
  } catch (error) {
    await visit.close()
    if (error instanceof SignInRefused || error instanceof LoginFailure) return { kind: 'unseen', why: error.message }
    return { kind: 'unseen', why: 'the provider cannot be reached' }
  }
}
