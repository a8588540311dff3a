import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { TestContext } from 'node:test'

const certificate = (name: string) => readFileSync(new URL(`../proxy/certificates/${name}`, import.meta.url))

/** A load balancer that ends TLS and says so in `X-Forwarded-Proto`, or says whatever the test wants it to. */
export async function startTlsFront(
  t: TestContext,
  { port, target, proto = 'https' }: { port: number; target: number; proto?: string | undefined },
): Promise<void> {
  const agent = new http.Agent({ keepAlive: true })
  const server = https.createServer(
    { key: certificate('server.key.pem'), cert: certificate('server.pem') },
    (request, response) => {
      const { method, url: path, headers } = request
      const options = { host: '127.0.0.1', port: target, method, path, agent }
      const onward = http.request({ ...options, headers: { ...headers, 'x-forwarded-proto': proto } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
        answer.pipe(response)
      })
      onward.on('error', () => response.destroy())
      request.pipe(onward)
    },
  )
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.after(async () => {
    agent.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
}
