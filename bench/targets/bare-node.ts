// The floor: what node:http does with a request when nobody asks anything.
import { createServer } from 'node:http'
import { announce } from './announce.ts'

announce(
  createServer((_request, response) => {
    response.writeHead(200, ['content-length', '2'])
    response.end('ok')
  }),
)
