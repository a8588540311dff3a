/** The listener for gateways that ask over gRPC. Its packages are loaded here, so only where the file asks for it. */
import type { Server, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import type { ListenAddress } from '../../config/config.ts'
import type { ListenerParts } from '../listeners.ts'
import { type Call, createExtAuthzDoor } from './front-door.ts'
import { createHealth } from './health.ts'
import { loadMessages } from './messages.ts'

export interface ExtAuthzListener {
  /** @returns the port it got. @throws Error naming the key where the address cannot be had */
  listen(address: ListenAddress): Promise<number>
  /** Health checks hear from now on that this process goes away; questions are answered as before. */
  leave(): void
  /** Takes no new calls, lets running ones finish, then closes what is left. @param patience milliseconds */
  close(patience: number): Promise<void>
}

export async function openExtAuthzListener(parts: ListenerParts): Promise<ExtAuthzListener> {
  const [grpc, messages] = await Promise.all([import('@grpc/grpc-js'), loadMessages()])
  // It writes to standard error by itself what is told here as an error anyway.
  grpc.setLogVerbosity(grpc.logVerbosity.NONE)
  const server = new grpc.Server({ 'grpc.enable_channelz': 0 })
  const check = createExtAuthzDoor(parts, messages.check)
  const health = createHealth()
  const asBytes = (bytes: Buffer) => bytes
  const { Check } = messages.authorization
  // Bytes in both directions: a message that cannot be read is a no of ours, and not a failed call.
  const bare = { ...Check!, requestDeserialize: asBytes, responseSerialize: asBytes }
  server.addService(
    { Check: bare },
    {
      Check(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
        void check(callOf(call)).then((response) => answer(null, response))
      },
    },
  )
  server.addService(messages.health, health.service)

  return {
    listen: ({ host, port }) => bind(server, grpc.ServerCredentials.createInsecure(), { host, port }),
    leave: health.leave,
    async close(patience) {
      health.leave()
      health.end()
      const deadline = setTimeout(() => server.forceShutdown(), patience)
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
      clearTimeout(deadline)
    },
  }
}

const callOf = (call: ServerUnaryCall<Buffer, Buffer>): Call => ({
  message: call.request,
  peer: addressOf(call.getPeer()),
  isAbandoned: () => call.cancelled,
})

/** `10.42.0.7:51234`, and `fd00::7:51234` without brackets; `unknown` where the connection is gone. */
const addressOf = (peer: string): string => peer.slice(0, Math.max(0, peer.lastIndexOf(':')))

function bind(
  server: Server,
  credentials: Parameters<Server['bindAsync']>[1],
  { host, port }: ListenAddress,
): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (cause, opened) => {
      if (cause === null) return resolve(opened)
      const reason = cause.message.includes('EADDRINUSE') ? 'is taken' : 'cannot be opened'
      reject(new Error(`extAuthz: ${host}:${port} ${reason}`, { cause }))
    })
  })
}
