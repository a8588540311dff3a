// The application of compose.yaml: it knows nothing of logins and shows whom Doorward says it talks to.
import { createServer } from 'node:http'

const identity = ['x-auth-user', 'x-auth-subject', 'x-auth-email', 'x-auth-groups']

const server = createServer(({ url = '/', headers }, response) => {
  if (url === '/health') return response.writeHead(200).end('ok\n')
  const told = Object.fromEntries(identity.map((name) => [name, headers[name] ?? '']))
  if (url === '/whoami') {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    return response.end(`${JSON.stringify(told)}\n`)
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  response.end(page(url.split('?', 1)[0], told))
})

const page = (path, told) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Behind Doorward</title>
<style>body { font: 1rem/1.5 system-ui; margin: 3rem auto; max-width: 40rem; padding: 0 1rem } td { padding-right: 2rem }</style>
<h1>${told['x-auth-user'] === '' ? 'Hello, whoever you are' : `Hello, ${escaped(told['x-auth-user'])}`}</h1>
<p>This is the application, at <code>${escaped(path)}</code>. All it knows of you came in these headers:</p>
<table>${identity.map((name) => `<tr><td><code>${name}</code><td>${escaped(told[name])}`).join('')}</table>
<p><a href="/">Home</a> · <a href="/admin">For administrators</a> · <a href="/public">For everybody</a></p>
<form method="post" action="/_doorward/logout"><button>Sign out</button></form>
</html>
`

const escaped = (text) => text.replaceAll(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`)

server.listen(3000, '0.0.0.0')
// As process 1 nothing ends it by default.
process.on('SIGTERM', () => process.exit(0))
process.on('SIGINT', () => process.exit(0))
