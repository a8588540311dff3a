import type { IncomingMessage } from 'node:http'

/** What Doorward's default header set says; all empty where nobody is signed in. */
export interface Visitor {
  readonly user: string
  readonly subject: string
  readonly email: string
  readonly groups: readonly string[]
}

/** The application believes these headers because nothing but the gateway can reach it. */
export function whoIs(request: IncomingMessage): Visitor {
  const header = (name: string) => decode(String(request.headers[name] ?? ''))
  return {
    user: header('x-auth-user'),
    subject: header('x-auth-subject'),
    email: header('x-auth-email'),
    groups: header('x-auth-groups').split(',').filter(Boolean),
  }
}

/** Names beyond ASCII travel percent-encoded. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
