import type { Config } from '../config/config.ts'
import type { ConfigProblem } from '../config/problems.ts'
import { type RunningServer, type ServerSource, startServer } from '../server.ts'
import { readVersion } from '../telemetry/version.ts'
import { type ConfigFile, findConfigFile, readConfig } from './config-file.ts'
import { listenFailure } from './listen-failure.ts'
import type { Output } from './output.ts'
import { sentenceOf } from './problem-report.ts'
import { awaitShutdown } from './shutdown.ts'
import type { Call, ExitCode, World } from './world.ts'

/** `doorward serve`: runs until it is told to stop. */
export async function serve(call: Call): Promise<ExitCode> {
  const { out, world } = call
  const file = findConfigFile(call)
  out.say(`version ${readVersion()}, config file ${file.shown}`)
  const shutdown = awaitShutdown(world)
  // From the beginning, since the default of SIGHUP is to end: one that comes during the start has nothing to reload.
  let hangUp = () => {}
  const onHangup = () => hangUp()
  world.signals.on('SIGHUP', onHangup)
  try {
    const server = await startServer({ source: sourceOf(file, world) }).catch((error: unknown) => {
      throw listenFailure(error)
    })
    warn(file, server.warnings, out)
    announce(server, out)
    hangUp = () => void reload(server, out)
    const signal = await shutdown.asked
    out.say(`${signal}: finishing what is under way; a second signal ends it at once`)
    await server.close()
    out.say('stopped')
    return 0
  } finally {
    world.signals.off('SIGHUP', onHangup)
    shutdown.forget()
  }
}

const sourceOf = (file: ConfigFile, world: World): ServerSource => ({
  load: ({ ephemeralSecret }) => readConfig(file, world, ephemeralSecret),
})

function warn({ shown }: ConfigFile, warnings: readonly ConfigProblem[], out: Output): void {
  for (const warning of warnings) out.warn(sentenceOf(shown, warning), warning.hint)
}

function announce({ addresses, config }: RunningServer, out: Output): void {
  const listeners = [
    ['public traffic', addresses.public],
    ['forward-auth, for the ingress alone', addresses.forwardAuth],
    ['ext_authz over gRPC, for the ingress alone', addresses.extAuthz],
    ['operations: /healthz /readyz /status /metrics', addresses.operations],
  ] as const
  for (const [what, address] of listeners) {
    if (address !== undefined) out.say(`listening on ${address.host} (${what})`)
  }
  out.say(`people reach it at ${config.publicUrls.map(({ origin }) => origin).join(' and ')}`)
  if (config.providers.length > 0) out.say(forgets(config))
}

/** One line, at every start. */
function forgets({ session, redis }: Config): string {
  if (session.store !== 'memory' && redis !== undefined) return 'a restart forgets nobody: Redis keeps what has to last'
  return session.store === 'memory'
    ? 'a restart ends every session, since session.store is memory; `store: redis` or `store: cookie` keeps them'
    : 'a restart forgets who signed out early, since session.store is cookie; everything else is kept'
}

async function reload(server: RunningServer, out: Output): Promise<void> {
  const taken = await server.reload()
  if (taken) out.say('SIGHUP: the config file was read again and taken over')
  else
    out.warn(
      'SIGHUP: the config file was refused, and what ran goes on',
      '`doorward check` tells what is wrong with it',
    )
}
