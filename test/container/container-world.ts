/** What a container on the network of the host needs: a provider, an application, and a folder to mount. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startIdp } from '../../src/dev/idp.ts'
import { type Application, startApplication } from '../support/application.ts'
import { freePort } from '../support/free-port.ts'

/** What `docs/container.md` tells people to lock. */
export const locked = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
/** The entry point of the image. */
export const doorward = ['/usr/local/bin/node', '/app/bin/doorward.js']

export interface ContainerWorld {
  readonly origin: string
  /** Of the operations listener. */
  readonly operations: string
  /** `config.yaml` and the file of its secret. */
  readonly folder: string
  readonly application: Application
  close(): Promise<void>
}

export async function openContainerWorld(): Promise<ContainerWorld> {
  const [port, operations] = [await freePort(), await freePort()]
  const origin = `http://127.0.0.1:${port}`
  const clientSecret = 'the-client-secret-of-the-container'
  const client = {
    clientId: 'gateway',
    clientSecret,
    redirectUris: [`${origin}/_doorward/callback`],
    postLogoutRedirectUris: [`${origin}/_doorward/signed-out`],
  }
  const [idp, application] = [await startIdp({ clients: [client] }), await startApplication()]
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-container-'))
  const config = {
    publicUrl: origin,
    listen: `127.0.0.1:${port}`,
    operations: `127.0.0.1:${operations}`,
    provider: { issuer: idp.issuer, clientId: client.clientId, clientSecret: { file: 'client-secret' } },
    routes: [{ allow: 'signedIn', upstream: application.url }],
  }
  // Read by another user than the one who wrote it.
  writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(config), { mode: 0o644 })
  writeFileSync(path.join(folder, 'client-secret'), clientSecret, { mode: 0o644 })
  chmodSync(folder, 0o755)
  return {
    origin,
    operations: `http://127.0.0.1:${operations}`,
    folder,
    application,
    async close() {
      await Promise.all([idp.close(), application.close()])
      rmSync(folder, { recursive: true })
    },
  }
}

/** Arguments of `docker run` or `docker create`, up to the command. */
export const containerIn = ({ folder }: ContainerWorld, image: string, ...more: readonly string[]) => [
  ...['--network', 'host', ...locked, ...more],
  ...['--volume', `${folder}:/etc/doorward:ro`, image],
]
