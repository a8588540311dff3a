// The floor for proxying: undici's dispatch and nothing around it but, with `fastify`, the framework itself.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import Fastify from 'fastify'
import { Pool } from 'undici'
import { announce, upstreamUrl } from './announce.ts'

const pool = new Pool(upstreamUrl(), { connections: 128, pipelining: 1 })

function pipe(request: IncomingMessage, response: ServerResponse): void {
  pool.dispatch(
    { method: 'GET', path: request.url ?? '/', headers: { host: request.headers.host ?? '' }, body: null },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, headers) {
        delete headers.connection
        delete headers['keep-alive']
        response.writeHead(status, headers)
      },
      onResponseData(controller, chunk) {
        if (!response.write(chunk)) {
          controller.pause()
          response.once('drain', () => controller.resume())
        }
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        if (response.headersSent) response.destroy()
        else response.writeHead(502).end()
      },
    },
  )
}

if (process.argv[2] === 'fastify') {
  const app = Fastify()
  app.get('/*', (request, reply) => {
    reply.hijack()
    pipe(request.raw, reply.raw)
  })
  await app.ready()
  announce(app.server)
} else announce(createServer(pipe))
