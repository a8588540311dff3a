/** `doorward setup keycloak`: makes or repairs the realm's client as the config file needs it. */
import { systemClock } from '../../core/clock.ts'
import { Secret } from '../../core/secret.ts'
import type { Output } from '../output.ts'
import { counted } from '../problem-report.ts'
import { type Call, CommandError, type ExitCode } from '../world.ts'
import { type KeycloakAdmin, openKeycloakAdmin } from './admin-client.ts'
import { applyPlan } from './apply-plan.ts'
import { readSetup, type SetupAsked } from './asked.ts'
import { isHidden } from './client-changes.ts'
import { confirm } from './confirm.ts'
import { type Found, lookAt, type Plan, planFor, stepCount } from './plan.ts'
import { planAsJson, planLines, printPlan, type ReportedPlan } from './plan-report.ts'
import { needsWriting, writeSecretFile } from './secret-file.ts'
import { wantedClient } from './wanted-client.ts'

/** Milliseconds: a new realm has keys to make, which takes a busy Keycloak longer than a request may. */
const patience = 60_000

export async function setup(call: Call): Promise<ExitCode> {
  const asked = await readSetup(call)
  const { config, provider, access, adminUrl } = asked
  const admin = await openKeycloakAdmin({
    provider: { ...provider, timeout: Math.max(provider.timeout, patience) },
    access,
    adminUrl,
    allowInsecureHttp: config.allowInsecureHttp,
    clock: systemClock,
    signal: new AbortController().signal,
  })
  try {
    return await setUp(admin, asked, call)
  } finally {
    await admin.close()
  }
}

/** What will be done: at Keycloak, and to the file that was asked for. */
interface Intention {
  readonly plan: Plan
  readonly secretToWrite: Secret | undefined
}

async function setUp(admin: KeycloakAdmin, asked: SetupAsked, { out, options, world }: Call): Promise<ExitCode> {
  const done = out.progress('looking at Keycloak')
  const found = await lookAt(admin, asked.provider.clientId, options.flag('create-realm')).finally(done)
  const intention = intend(asked, admin.realm, found)
  const asJson = options.flag('json')
  const count = stepCount(intention.plan) + Number(intention.secretToWrite !== undefined)
  const reported = reportOf(asked, intention)
  if (!asJson) printPlan(reported, out)
  const isWanted =
    count > 0 && !options.flag('plan') && (options.flag('yes') || (!asJson && (await confirm(count, world, out))))
  if (isWanted) await carryOut(admin, asked, intention, out)
  if (asJson) out.json(planAsJson(reported, isWanted))
  if (isWanted) out.say(`done: ${counted(count, 'change')} made`)
  if (isWanted || count === 0 || options.flag('plan')) return 0
  out.fail('nothing was changed', 'add --yes to make these changes without being asked, or --plan to only see them')
  return 1
}

/** Whose secret counts: the file's, unless Keycloak's own was asked for and there is one. */
function intend({ config, provider, backchannelUrl, secretFile }: SetupAsked, realm: string, found: Found): Intention {
  const { clientAuth } = provider
  const ofFile = 'secret' in clientAuth ? clientAuth.secret : undefined
  const keeps = secretFile !== undefined && found.secret !== undefined
  if (keeps && isHidden(found.secret)) {
    const hint = 'give the account the role manage-clients of the client realm-management'
    throw new CommandError('Keycloak hides the Client Secret from this account', hint)
  }
  const wishes = { backchannelUrl, secret: keeps ? undefined : ofFile }
  const plan = planFor({ config, provider, wanted: wantedClient(config, provider, wishes) }, realm, found)
  const secret = found.secret !== undefined && keeps ? new Secret(found.secret) : ofFile
  const isToWrite = secretFile !== undefined && secret !== undefined && needsWriting(secretFile, secret)
  return { plan, secretToWrite: isToWrite ? secret : undefined }
}

const reportOf = ({ file, provider, secretFile }: SetupAsked, { plan, secretToWrite }: Intention): ReportedPlan => ({
  file: file.shown,
  issuer: provider.issuer,
  plan,
  secretFile: secretToWrite && secretFile?.shown,
})

/** Looks again afterwards: what Keycloak silently left out would be found out by the first person who signs in. */
async function carryOut(
  admin: KeycloakAdmin,
  asked: SetupAsked,
  { plan, secretToWrite }: Intention,
  out: Output,
): Promise<void> {
  const done = out.progress('changing Keycloak')
  try {
    await applyPlan(admin, plan)
    if (secretToWrite !== undefined && asked.secretFile !== undefined) writeSecretFile(asked.secretFile, secretToWrite)
    const left = intend(asked, admin.realm, await lookAt(admin, asked.provider.clientId, false)).plan
    if (stepCount(left) === 0) return
    const names = planLines(left).map(({ what }) => what)
    throw new CommandError(
      `Keycloak did not take over: ${names.join(', ')}`,
      'change them in its admin console; a client policy of the realm may forbid them',
    )
  } finally {
    done()
  }
}
