/** Runs a snippet of a page where its language is: a statement goes in, the person comes out, or nobody. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { decodeJwt } from 'jose'
import { replaced } from '../gateways/documented.ts'
import { mainFile } from '../gateways/nginx.ts'
import type { Application } from '../support/application.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/gateway.ts'
import { findPart, skipUnless } from '../support/real-part.ts'

/** Values of X-Auth-Assertion -> `sub` of each, undefined where the snippet refused it. */
export type Checker = (statements: readonly string[]) => Promise<readonly (string | undefined)[]>

const root = fileURLToPath(new URL('../../', import.meta.url))

export async function jose(folder: string, code: string): Promise<Checker> {
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  const file = path.join(folder, 'snippet.mjs')
  writeFileSync(file, code)
  const { whoIs } = await import(pathToFileURL(file).href)
  return (statements) =>
    Promise.all(
      statements.map((statement) =>
        whoIs({ headers: { 'x-auth-assertion': statement } }).then(String, () => undefined),
      ),
    )
}

/** A program that reads a JSON list of statements and prints one of names, null for nobody. */
const program =
  (command: string, args: readonly string[], cwd: string): Checker =>
  async (statements) => {
    const child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'], timeout: 120_000 })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stdin.end(JSON.stringify(statements))
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`${command} ended with ${code}`)
    const names: readonly (string | null)[] = JSON.parse(Buffer.concat(chunks).toString())
    return names.map((name) => name ?? undefined)
  }

const runs = (command: string, ...args: string[]): boolean => spawnSync(command, args, { timeout: 20_000 }).status === 0

const python = ['python3', '/usr/bin/python3'].find((each) => runs(each, '-c', 'import jwt, cryptography'))

export const pyjwt = {
  missing: python === undefined && 'no python3 with PyJWT and cryptography here',
  check(folder: string, code: string): Checker {
    writeFileSync(path.join(folder, 'snippet.py'), code)
    return program(python!, ['-c', pythonDriver], folder)
  },
}

const pythonDriver = `
import json, sys
from snippet import who_is
def answer(statement):
    try:
        return who_is({'X-Auth-Assertion': statement})
    except Exception:
        return None
print(json.dumps([answer(each) for each in json.load(sys.stdin)]))
`

export const go = {
  missing: !runs('go', 'version') && 'no go here',
  /** Undefined where the network, and this machine, do not have the modules. */
  async check(folder: string, code: string): Promise<Checker | undefined> {
    mkdirSync(path.join(folder, 'whois'))
    writeFileSync(path.join(folder, 'whois/whois.go'), code)
    writeFileSync(path.join(folder, 'main.go'), goDriver)
    writeFileSync(path.join(folder, 'go.mod'), goModules)
    const tidy = spawn('go', ['mod', 'tidy'], { cwd: folder, stdio: 'ignore', timeout: 60_000 })
    const [status] = await once(tidy, 'exit')
    return status === 0 ? program('go', ['run', '.'], folder) : undefined
  },
}

const goModules = `module example.com/snippet

go 1.25.0

require (
	github.com/MicahParks/keyfunc/v3 v3.9.1
	github.com/golang-jwt/jwt/v5 v5.3.1
)
`

const goDriver = `package main

import (
	"encoding/json"
	"net/http"
	"os"

	"example.com/snippet/whois"
)

func main() {
	checker, err := whois.New()
	if err != nil {
		panic(err)
	}
	var statements []string
	if err := json.NewDecoder(os.Stdin).Decode(&statements); err != nil {
		panic(err)
	}
	names := make([]*string, len(statements))
	for i, statement := range statements {
		request := &http.Request{Header: http.Header{"X-Auth-Assertion": {statement}}}
		if name, err := checker.WhoIs(request); err == nil {
			names[i] = &name
		}
	}
	json.NewEncoder(os.Stdout).Encode(names)
}
`

const nginx = findPart('nginx')
const njsModule = findPart('njs')

export const njs = {
  missing: skipUnless('nginx') || skipUnless('njs'),
  /** nginx lets through or refuses; who it is was seen by the application behind it. */
  async check(
    t: TestContext,
    folder: string,
    files: Readonly<Record<'statement.js' | 'app.conf', string>>,
    application: Application,
  ): Promise<Checker> {
    const [port, keysPort] = [await freePort(), await freePort()]
    const js = replaced(files['statement.js'], [['127.0.0.1:8085', `127.0.0.1:${keysPort}`]])
    const conf = replaced(files['app.conf'], [
      ['/etc/nginx/statement.js', `${folder}/statement.js`],
      ['/var/cache/nginx/doorward', `${folder}/keys`],
      ['127.0.0.1:8085', `127.0.0.1:${keysPort}`],
      ['listen 8080', `listen 127.0.0.1:${port}`],
      ['http://127.0.0.1:3000', application.url],
    ])
    writeFileSync(path.join(folder, 'statement.js'), js)
    writeFileSync(path.join(folder, 'app.conf'), conf)
    writeFileSync(path.join(folder, 'nginx.conf'), `load_module ${njsModule};\n${mainFile(folder)}`)
    const args = ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', path.join(folder, 'error.log')]
    const child = spawn(nginx!, args, { stdio: 'ignore' })
    t.after(async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    })
    const ask = (statement: string) =>
      fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-auth-assertion': statement } })
    await until(() => ask('').catch(() => undefined), 'nginx starts', 10_000)
    return async (statements) => {
      const names: (string | undefined)[] = []
      for (const statement of statements) {
        const before = application.received.length
        const { status } = await ask(statement)
        if (application.received.length > before !== (status === 200)) throw new Error(`${status}, and it got through`)
        names.push(status === 200 ? decodeJwt(statement).sub : undefined)
      }
      return names
    }
  },
}
