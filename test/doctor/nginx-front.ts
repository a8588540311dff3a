/** nginx in front over plain http: the file of our page, changed as a test tells. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { documentedFile, replaced } from '../gateways/documented.ts'
import { mainFile } from '../gateways/nginx.ts'
import { until } from '../support/gateway.ts'
import { requirePart } from '../support/real-part.ts'

export interface Ports {
  /** nginx's own. */
  readonly front: number
  readonly public: number
  readonly forwardAuth: number
  readonly application: number
}

export type Edits = (ports: Ports) => readonly (readonly [written: string, instead: string])[]

/** Ends with the test. @throws Error with what nginx said, where it does not start */
export async function startNginx(t: TestContext, ports: Ports, edits: Edits): Promise<void> {
  const program = requirePart(t, 'nginx')
  if (program === undefined) return
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-doctor-nginx-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(path.join(folder, 'nginx.conf'), mainFile(folder))
  writeFileSync(path.join(folder, 'app.conf'), replaced(soundFile(ports), edits(ports)))
  const line = `exec "$0" -p ${folder} -c ${folder}/nginx.conf -e stderr 2>${folder}/said`
  const child = spawn('/bin/sh', ['-c', line, program], { stdio: 'ignore' })
  t.after(() => stop(child))
  const started = async () => child.exitCode !== null || (await accepts(ports.front))
  await until(started, 'nginx starts', 5000)
  if (child.exitCode !== null) throw new Error(readFileSync(path.join(folder, 'said'), 'utf8'))
}

const soundFile = (ports: Ports): string =>
  replaced(documentedFile('nginx', '/etc/nginx/conf.d/doorward.conf'), [
    ['127.0.0.1:4180;', `127.0.0.1:${ports.public};`],
    ['127.0.0.1:4181;', `127.0.0.1:${ports.forwardAuth};`],
    ['127.0.0.1:3000;', `127.0.0.1:${ports.application};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${ports.front};`],
    ['ssl_certificate     /etc/nginx/tls.crt;', ''],
    ['ssl_certificate_key /etc/nginx/tls.key;', ''],
    ['app.example.com', 'localhost'],
    ['X-Original-URL https:', 'X-Original-URL http:'],
    ['X-Forwarded-Proto https', 'X-Forwarded-Proto http'],
  ])

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(() => resolve(true)))
    socket.on('error', () => resolve(false))
  })
