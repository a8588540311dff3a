#!/usr/bin/env node
// The command people type. Plain JavaScript, so that an old Node gets a sentence instead of a syntax error.
import { existsSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`doorward: error: this is Node ${process.versions.node}; Doorward needs Node 22.19 or newer`)
  console.error('doorward: hint: install the current LTS from your system, or run it from a checkout with `npm start`')
  process.exit(2)
}

// A checkout runs from source by type stripping; the npm package and the image carry the compiled files.
const source = new URL('../src/cli/main.ts', import.meta.url)
const compiled = new URL('../dist/cli/main.js', import.meta.url)
const { main } = await import((existsSync(source) ? source : compiled).href)
await main(process.argv.slice(2))
