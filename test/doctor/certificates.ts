/** Certificates signed by themselves, with any names and at any time of their life. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

/** Files. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

export type Life = 'now' | 'over' | 'later'

const lives: Readonly<Record<Life, readonly [start: string, end: string]>> = {
  now: ['20200101000000Z', '20980101000000Z'],
  over: ['20200101000000Z', '20210101000000Z'],
  later: ['20970101000000Z', '20980101000000Z'],
}

/** `openssl ca` alone takes both ends of a life, and it keeps books. */
const books = `[ca]
default_ca = own
[own]
dir = .
database = ./index.txt
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`

/** @param names as OpenSSL writes them: `DNS:localhost,IP:127.0.0.1` */
export function makeCertificate(t: TestContext, names: string, life: Life = 'now'): Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-certificate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe', cwd: folder })
  writeFileSync(path.join(folder, 'index.txt'), '')
  writeFileSync(path.join(folder, 'ca.conf'), books)
  const made = ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=test']
  openssl(...made, '-keyout', 'key.pem', '-out', 'request.pem', '-addext', `subjectAltName=${names}`)
  const [start, end] = lives[life]
  const signed = ['ca', '-batch', '-selfsign', '-config', 'ca.conf', '-keyfile', 'key.pem', '-in', 'request.pem']
  openssl(...signed, '-notext', '-out', 'cert.pem', '-startdate', start, '-enddate', end)
  return { key: path.join(folder, 'key.pem'), cert: path.join(folder, 'cert.pem') }
}

/** A leaf below an intermediate below an authority, all in files of their own. @param name of the leaf: `DNS:localhost` */
export function makeChain(t: TestContext, name: string): Certificate & { readonly ca: string; readonly whole: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorward-chain-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = (ending: string) => path.join(folder, ending)
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe', cwd: folder })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const authority = ['-addext', 'basicConstraints=critical,CA:TRUE']
  openssl(
    'req',
    '-x509',
    ...ec,
    '-days',
    '3650',
    '-subj',
    '/CN=root',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    ...authority,
  )
  const below = (own: string, above: string, extension: string) => {
    const request = ['req', '-new', ...ec, '-subj', `/CN=${own}`, '-keyout', `${own}.key`, '-out', `${own}.csr`]
    openssl(...request, '-addext', extension)
    const signed = ['-CA', `${above}.pem`, '-CAkey', `${above}.key`, '-CAcreateserial', '-days', '3650']
    openssl('x509', '-req', '-in', `${own}.csr`, ...signed, '-copy_extensions', 'copy', '-out', `${own}.pem`)
  }
  below('middle', 'ca', 'basicConstraints=critical,CA:TRUE')
  below('leaf', 'middle', `subjectAltName=${name}`)
  writeFileSync(file('whole.pem'), readFileSync(file('leaf.pem'), 'utf8') + readFileSync(file('middle.pem'), 'utf8'))
  return { key: file('leaf.key'), cert: file('leaf.pem'), ca: file('ca.pem'), whole: file('whole.pem') }
}
