/**
 * nginx as the ingress-nginx controller configures it for the annotations that the page shows. The controller needs a
 * cluster; what it makes of them is written down here, and was compared with what the code of 1.15.1 renders.
 */
import { once } from 'node:events'
import http from 'node:http'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { documentedFile, replaced } from './documented.ts'
import type { GatewayProduct, Places } from './gateway-product.ts'
import { mainFile, nginx } from './nginx.ts'
import { slowQuestion } from './questions-failure.ts'

export const ingressNginx: GatewayProduct = {
  ...nginx,
  name: 'nginx as ingress-nginx',
  files: (places) => ({ 'nginx.conf': mainFile(places.folder), 'app.conf': controllerFile(places) }),
  beside: escapeAsTheControllerDoes,
  remarks: {
    'A script gets 401 and JSON': { but: 'after a redirect to `/_doorward/login`, which says so' },
    [slowQuestion.name]: { but: 'it waits for a minute; requests are held and stay closed' },
  },
}

const escaper = (folder: string) => `${folder}/escape.sock`

/** The controller's Lua sets `$escaped_request_uri`; a Debian nginx has no Lua. */
async function escapeAsTheControllerDoes(t: TestContext, folder: string): Promise<void> {
  const server = http.createServer(({ headers }, response) => {
    const uri = encodeURIComponent(String(headers['x-uri']))
    response.writeHead(302, { location: `${headers['x-sign-in']}?rd=${headers['x-site']}${uri}` }).end()
  })
  t.after(() => void server.close())
  await once(server.listen(escaper(folder)), 'listening')
}

interface Annotations {
  readonly url: string
  readonly signIn: string
  readonly responseHeaders: readonly string[]
}

/** From the page's Ingress, with addresses of the test. */
function annotationsOf(places: Places): Annotations {
  const text = replaced(documentedFile('ingress-nginx', 'app-ingress.yaml'), [
    ['http://doorward.auth.svc.cluster.local:4181', `http://127.0.0.1:${places.forwardAuthPort}`],
    ['https://app.example.com', `https://${places.host}:${places.port}`],
  ])
  const { annotations } = parse(text).metadata
  const of = (name: string) => String(annotations[`nginx.ingress.kubernetes.io/${name}`])
  return { url: of('auth-url'), signIn: of('auth-signin'), responseHeaders: of('auth-response-headers').split(',') }
}

function controllerFile(places: Places): string {
  const { url, signIn, responseHeaders } = annotationsOf(places)
  const sets = responseHeaders.map((name, i) => {
    const variable = `$upstream_http_${name.toLowerCase().replaceAll('-', '_')}`
    return `auth_request_set $authHeader${i} ${variable}; proxy_set_header '${name}' $authHeader${i};`
  })
  return `
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
server {
  listen 127.0.0.1:${places.port} ssl;
  server_name ${places.host};
  ssl_certificate ${places.certificate};
  ssl_certificate_key ${places.key};
  client_max_body_size 1m;
  proxy_http_version 1.1;
  proxy_buffering off;
  proxy_buffer_size 4k;

  location = /_external-auth {
    internal;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header X-Forwarded-Proto "";
    proxy_set_header X-Request-ID $request_id;
    proxy_set_header Host ${new URL(url).hostname};
    proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
    proxy_set_header X-Original-Method $request_method;
    proxy_set_header X-Sent-From "nginx-ingress-controller";
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Auth-Request-Redirect $request_uri;
    proxy_pass ${url};
  }

  location @sign_in {
    internal;
    add_header Set-Cookie $auth_cookie;
    proxy_set_header X-Sign-In ${signIn};
    proxy_set_header X-Site $scheme://$http_host;
    proxy_set_header X-Uri $request_uri;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_pass http://unix:${escaper(places.folder)};
  }

  location / {
    auth_request /_external-auth;
    auth_request_set $auth_cookie $upstream_http_set_cookie;
    add_header Set-Cookie $auth_cookie;
    ${sets.join('\n    ')}
    error_page 401 = @sign_in;
    ${passedOn}
    proxy_pass http://127.0.0.1:${places.applicationPort};
  }

  location /_doorward/ {
    ${passedOn}
    proxy_pass http://127.0.0.1:${places.publicPort};
  }
}
`
}

const passedOn = `proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header X-Request-ID $request_id;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Scheme $scheme;
    proxy_set_header X-Scheme $scheme;
    proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
    proxy_set_header X-Original-Forwarded-Host $http_x_forwarded_host;
    proxy_set_header Proxy "";`
