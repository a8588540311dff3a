import { readFileSync } from 'node:fs'

export interface CorpusHeader {
  readonly name: string
  readonly value: string
  readonly also?: readonly CorpusHeader[]
  readonly note?: string
}

export interface CorpusCase {
  readonly name: string
  readonly how: string
  readonly expect: string
}

/** The lists of test/corpus/attack-corpus.json; `_meta` there says how each is meant. */
export interface Corpus {
  readonly openRedirect: readonly string[]
  readonly openRedirectAllowed: readonly string[]
  readonly openRedirectSelf: readonly string[]
  readonly pathBypass: readonly string[]
  readonly headerSmuggling: readonly CorpusHeader[]
  readonly forwardedHost: readonly string[]
  readonly jwtTampering: readonly CorpusCase[]
  readonly cookieTampering: readonly CorpusCase[]
  readonly oidcCallback: readonly CorpusCase[]
  readonly backchannelLogout: readonly CorpusCase[]
  readonly requestSmuggling: readonly CorpusCase[]
  readonly upstreamResponses: readonly CorpusCase[]
}

export const corpus = JSON.parse(
  readFileSync(new URL('../corpus/attack-corpus.json', import.meta.url), 'utf8'),
) as Corpus
