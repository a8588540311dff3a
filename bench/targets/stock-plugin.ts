// The baseline that this design replaced: @fastify/http-proxy with its defaults.
import httpProxy from '@fastify/http-proxy'
import Fastify from 'fastify'
import { announce, upstreamUrl } from './announce.ts'

const app = Fastify()
await app.register(httpProxy, { upstream: upstreamUrl() })
await app.ready()
announce(app.server)
