// Doorward from a file, as `doorward serve` starts it.
import { loadConfig } from '../../src/config/load.ts'
import { startServer } from '../../src/server.ts'

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: doorward.ts FILE')
const server = await startServer({
  source: { load: (options) => loadConfig(file, process.env, options) },
  watch: false,
})
process.send?.({ url: server.addresses.public.origin, forwardAuth: server.addresses.forwardAuth?.origin })
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)))
