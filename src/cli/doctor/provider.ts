import type { ProviderConfig } from '../../config/config.ts'
import { ProviderUnreachable } from '../../issuer/transport.ts'
import { examineAuthorization } from './authorization.ts'
import { examineClientProof } from './client-proof.ts'
import { examineDiscovery } from './discovery-answer.ts'
import { examineEndSession } from './end-session-probe.ts'
import type { Examination, Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import type { FindingName } from './finding-names.ts'
import { examineGitHub } from './github.ts'
import { examineSettings } from './keycloak-settings.ts'
import { examinePerson, personBarred } from './person.ts'
import { openVisit, type ProviderVisit, placeOf } from './provider-visit.ts'
import { wireFinding } from './provider-wire.ts'
import { nearestUri } from './redirect-uris.ts'
import { withSetup } from './setup-mends.ts'

/** The OpenID providers, and what they know of our client. */
export const provider: Examination = {
  name: 'provider',
  examine: async (patient) =>
    (await Promise.all(patient.config.providers.map((one) => examineProvider(patient, one)))).flat(),
}

async function examineProvider(patient: Patient, config: ProviderConfig): Promise<readonly Finding[]> {
  const visit = openVisit(patient, config)
  try {
    if (config.kind === 'github') return await examineGitHub(visit)
    const discovery = await examineDiscovery(visit)
    if (!discovery.usable) return [...discovery.findings, clientUnseen(config)]
    const client = await examineClient(visit)
    const [settings, person] = await Promise.all([
      examineSettings(visit),
      client.some(isError) ? [personBarred(visit)] : examinePerson(visit, patient.signIns),
    ])
    const found = client.map((finding) => withNearest(finding, visit, settings.redirectUris))
    const findings = onePerName([...discovery.findings, ...found, ...settings.findings, ...person])
    return findings.map((finding) => withSetup(visit, finding))
  } catch (error) {
    if (!(error instanceof ProviderUnreachable)) throw error
    return [await wireFinding(visit, new URL(config.issuer), error)]
  } finally {
    await visit.close()
  }
}

/** An administrator sees what is registered in its place. */
function withNearest(finding: Finding, { uris }: ProviderVisit, listed: readonly string[]): Finding {
  if (finding.name !== 'redirect-uri-not-registered') return finding
  const ours = uris.redirectUris.find((uri) => finding.cause.includes(` ${uri} `))
  const near = ours === undefined ? undefined : nearestUri(ours, listed)
  return near === undefined ? finding : { ...finding, cause: `${finding.cause}; ${near}` }
}

/** The reason is told already. */
const isError = ({ severity }: Finding): boolean => severity === 'error'

const clientUnseen = (config: ProviderConfig): Finding => ({
  name: 'client-unseen',
  severity: 'unseen',
  place: placeOf(config),
  cause: 'the client, its secret, redirect URIs, scopes, settings and tokens could not be asked about',
  fix: 'repair what is said of the provider first, then run it again',
})

/** What the endpoints say to anybody who asks. */
async function examineClient(visit: ProviderVisit): Promise<readonly Finding[]> {
  const [authorization, proof, endSession] = await Promise.all([
    examineAuthorization(visit),
    examineClientProof(visit),
    examineEndSession(visit),
  ])
  // A client that is not there, or not in use, has no secret and no addresses either.
  const gone = [...authorization, ...proof].find(({ name }) => fatalForClient.has(name))
  return gone === undefined ? [...authorization, ...proof, ...endSession] : [gone]
}

const fatalForClient: ReadonlySet<FindingName> = new Set<FindingName>([
  'realm-disabled',
  'https-required',
  'client-disabled',
  'client-bearer-only',
  'client-other-protocol',
  'client-unknown',
])

/** Two ways of looking may see the same fault. */
function onePerName(findings: readonly Finding[]): Finding[] {
  const keyOf = ({ name, place, cause }: Finding) =>
    name === 'redirect-uri-not-registered' ? cause : `${name} ${place}`
  return [...new Map([...findings].reverse().map((finding) => [keyOf(finding), finding] as const)).values()].reverse()
}
