import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { FastifyInstance } from 'fastify'
import type { LimitsConfig } from '../config/config.ts'
import type { ListenTls } from '../config/listen-tls.ts'
import { buildApp } from './app.ts'
import type { CallbackFlights } from './callback-flights.ts'
import { createForwardAuthDoor } from './forward-auth/front-door.ts'
import type { IngressWitness } from './forward-auth/ingress-witness.ts'
import type { Observer } from './observer.ts'
import type { OpenTunnels } from './open-tunnels.ts'
import type { ProviderLogout } from './provider-logout.ts'
import { createProxyDoor } from './proxy-door.ts'
import type { Serving } from './serving.ts'
import { createUpgradeDoor } from './upgrade-door.ts'

export interface ListenerParts {
  readonly serving: () => Serving
  readonly observer: Observer
  readonly flights: CallbackFlights
  readonly providerLogout: ProviderLogout
  readonly tunnels: OpenTunnels
  readonly witness: IngressWitness
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * The public listener. Own pages go to Fastify, everything else straight to the gate: a router that knows some
 * methods and body types would answer for applications that know more.
 */
export function buildPublicListener(parts: ListenerParts): FastifyInstance {
  const { config } = parts.serving()
  const proxy = createProxyDoor(parts.serving, parts.observer, parts.tunnels)
  const upgrade = createUpgradeDoor(parts.serving, parts.observer, parts.tunnels)
  const { basePath, compatibility } = config

  return buildApp({
    ...parts,
    basePath,
    compatibility,
    serverFactory(ownPages) {
      const serve: Handler = (request, response) => {
        if (isOwn(request.url ?? '', basePath)) ownPages(request, response)
        else proxy(request, response)
      }
      const options = { ...optionsOf(config.limits), shouldUpgradeCallback: isOurUpgrade }
      const server =
        config.tls === undefined
          ? createServer(options, serve)
          : createTlsServer(
              { ...options, ...secureOptions(config.tls), handshakeTimeout: options.headersTimeout },
              serve,
            )
      // 100 comes once the request is allowed; Node would answer before anybody looked. A form of ours is read to be judged.
      server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        if (isOwn(request.url ?? '', basePath)) response.writeContinue()
        serve(request, response)
      })
      server.on('checkExpectation', (_request, response: ServerResponse) => {
        response.writeHead(417, { 'content-length': '0', connection: 'close' }).end()
      })
      server.on('upgrade', upgrade)
      return server
    },
  })
}

/** The listener for the ingress. Without an `upgrade` listener Node answers subrequests of websockets like any other. */
export function buildForwardAuthListener(parts: ListenerParts): Server {
  // A request without a body is then no stream that has to end, which is a tenth of what an answer costs. Node before
  // 24.12 knows no such option. Not for the public listener: Fastify waits for the end of a form that never began.
  const options = { ...optionsOf(parts.serving().config.limits), optimizeEmptyRequests: true }
  return createServer(options, createForwardAuthDoor(parts))
}

function isOwn(url: string, basePath: string): boolean {
  if (!url.startsWith(basePath)) return false
  const next = url.charCodeAt(basePath.length)
  // Nothing, a slash or a question mark: `/_doorwardish` is an application's address.
  return Number.isNaN(next) || next === 0x2f || next === 0x3f
}

/**
 * Whether an Upgrade header is taken up. h2c never is, and clients that offer it with every request (Java's does) go
 * on in HTTP/1.1, as RFC 9110 7.8 has it. Node before 24.9 does not ask, and such a request is refused with 426.
 */
function isOurUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() !== 'h2c'
}

/** For the listener, and for a renewed certificate on one that is open. */
export const secureOptions = ({ certificate, key }: ListenTls) =>
  ({ cert: certificate, key: key.reveal(), minVersion: 'TLSv1.2' }) as const

function optionsOf(limits: LimitsConfig): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    // Uploads may take as long as they move: `bodyTimeout` of the upstream ends those that stand still.
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
    insecureHTTPParser: false,
    noDelay: true,
  }
}
