import { randomToken } from '../core/encoding.ts'
import { startDemoApp } from './demo-app.ts'
import { type Idp, startIdp } from './idp.ts'

export interface DemoFileOptions {
  readonly publicPort: number
  readonly idpIssuer: string
  readonly appUrl: string
  readonly clientSecret: string
  /** `host:port` for /healthz and /metrics; default `off`. */
  readonly operations?: string
}

/** The file of the demo, to be written to a folder of its own: small, and shaped like config.example.yaml. */
export const demoConfigFile = ({
  publicPort,
  idpIssuer,
  appUrl,
  clientSecret,
  operations,
}: DemoFileOptions): string => `\
# The demo: an embedded provider, a small application, and Doorward between them. Every key is described in
# docs/configuration.md; config.example.yaml shows what a real file looks like.
version: 1
publicUrl: http://127.0.0.1:${publicPort}
listen: 127.0.0.1:${publicPort}
operations: ${operations ?? 'off'}

brand: # on the pages of the gateway
  name: Demo application

provider:
  kind: oidc
  label: Demo sign-in service
  issuer: ${idpIssuer}
  clientId: ${demoClient.clientId}
  clientSecret: "${clientSecret}"

bearer: # machines show a token for this audience
  - issuer: ${idpIssuer}
    audience: ${robot.audience}

routes: # the first match counts
  - path: /public/*
    allow: public
    upstream: ${appUrl}
  - path: /admin/*
    allow: { groups: [/admins] }
    upstream: ${appUrl}
  - path: /api/*
    allow: signedIn
    accept: [session, bearer]
    upstream: ${appUrl}
  - allow: signedIn
    upstream: ${appUrl}
`

const demoClient = { clientId: 'demo' } as const
const robot = { clientId: 'demo-robot', audience: 'demo-api' } as const

/** Everything around the gateway, running; the gateway itself is started from `configText`. */
export interface DemoWorld {
  readonly configText: string
  readonly publicUrl: string
  readonly appUrl: string
  readonly idp: Idp
  close(): Promise<void>
}

export interface DemoWorldOptions {
  /** Where the gateway will listen. */
  readonly port: number
  readonly operations?: string
}

/**
 * Starts the provider and the application. The provider is at `localhost` and the gateway at `127.0.0.1`, two sites
 * to a browser, so that their cookies stay apart as they do in life (cookies know no ports).
 */
export async function startDemoWorld({ port, operations }: DemoWorldOptions): Promise<DemoWorld> {
  const publicUrl = `http://127.0.0.1:${port}`
  const [clientSecret, robotSecret] = [randomToken(24), randomToken(24)]
  const idp = await startIdp({
    host: 'localhost',
    clients: [
      {
        ...demoClient,
        clientSecret,
        redirectUris: [`${publicUrl}/_doorward/callback`],
        postLogoutRedirectUris: [`${publicUrl}/_doorward/signed-out`, `${publicUrl}/`],
      },
      { ...robot, clientSecret: robotSecret, machine: true },
    ],
  })
  const apiHint = curlHint(publicUrl, idp.issuer, robotSecret)
  const app = await startDemoApp({ apiHint }).catch(async (error: unknown) => {
    await idp.close()
    throw error
  })
  const file = { publicPort: port, idpIssuer: idp.issuer, appUrl: app.url, clientSecret }
  return {
    configText: demoConfigFile({ ...file, ...(operations !== undefined && { operations }) }),
    publicUrl,
    appUrl: app.url,
    idp,
    close: async () => void (await Promise.all([app.close(), idp.close()])),
  }
}

const curlHint = (publicUrl: string, issuer: string, secret: string): string => `\
TOKEN=$(curl -s -u ${robot.clientId}:${secret} -d grant_type=client_credentials ${issuer}/token \\
  | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
curl -H "Authorization: Bearer $TOKEN" ${publicUrl}/api/whoami`
