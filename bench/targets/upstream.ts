// The application behind every proxy of the comparison: a small JSON answer.
import { createServer } from 'node:http'
import { announce } from './announce.ts'

const body = JSON.stringify({ hello: 'world', at: 'a small answer of an application' })

announce(
  createServer((_request, response) => {
    response.writeHead(200, ['content-type', 'application/json', 'content-length', String(body.length)])
    response.end(body)
  }),
)
