// Installs the locked dependencies before `npm start` and `npm test`, and only when they are missing or stale.
// CommonJS and plain syntax on purpose: any Node that can run npm can run this file.
'use strict'
const { createHash } = require('node:crypto')
const { execFileSync } = require('node:child_process')
const { readFileSync, writeFileSync, existsSync } = require('node:fs')
const { join } = require('node:path')

const root = join(__dirname, '..')
const stamp = join(root, 'node_modules', '.doorward-install')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''

if (installed !== wanted) {
  console.error('doorward: installing dependencies (once; about a minute)')
  // `npm` is a script on some systems and an executable on others; npm tells its children where it lives.
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  if (npm) execFileSync(process.execPath, [npm].concat(args), { cwd: root, stdio: ['ignore', 2, 2] })
  else execFileSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] })
  writeFileSync(stamp, wanted)
}
