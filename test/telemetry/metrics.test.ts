import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const quiet = () => createMetrics({ version: '1.2.3', processMetrics: false })
const has = (text: string, line: string) => assert.ok(text.split('\n').includes(line), `${line}\nnot in\n${text}`)

test('verdicts by route are counted, read twice, and go on after a reload', async () => {
  const metrics = quiet()
  const before = metrics.forRoutes(['admin', 'rest'])
  before.verdict(0, 'allow', undefined)
  before.verdict(0, 'allow', undefined)
  before.verdict(0, 'forbid', 'requirement_unmet')
  before.verdict(undefined, 'unrouted', 'host_unknown')
  const line = 'doorward_verdicts_total{route="admin",verdict="allow",reason=""}'
  has(await metrics.render(), `${line} 2`)
  has(await metrics.render(), `${line} 2`)
  const after = metrics.forRoutes(['new first', 'admin'])
  after.verdict(1, 'allow', undefined)
  const text = await metrics.render()
  has(text, `${line} 3`)
  has(text, 'doorward_verdicts_total{route="admin",verdict="forbid",reason="requirement_unmet"} 1')
  has(text, 'doorward_verdicts_total{route="",verdict="unrouted",reason="host_unknown"} 1')
})

test('the rest of the table', async () => {
  const metrics = quiet()
  const routes = metrics.forRoutes(['a "quoted"\nname'])
  routes.upstream(0, 0.02)
  routes.upstreamUnauthorized(0)
  const closed = routes.upgradeOpened(0)
  routes.upgradeOpened(0)
  closed()
  metrics.countLogin('ok')
  metrics.countLogin('login_denied')
  metrics.countLogout('person')
  metrics.countRefresh('transient')
  metrics.countSessionEnd('idle')
  metrics.countReload('failed')
  metrics.observeCaches({ session: () => ({ entries: 3, bytes: 4096, hits: 10, misses: 2 }) })
  metrics.observeDroppedLogLines(() => 5)
  const text = await metrics.render()
  for (const line of [
    'doorward_build_info{version="1.2.3"} 1',
    'doorward_upstream_duration_seconds_bucket{le="0.025",route="a \\"quoted\\"\\nname"} 1',
    'doorward_upstream_duration_seconds_count{route="a \\"quoted\\"\\nname"} 1',
    'doorward_upstream_unauthorized_total{route="a \\"quoted\\"\\nname"} 1',
    'doorward_open_upgrades{route="a \\"quoted\\"\\nname"} 1',
    'doorward_logins_total{outcome="ok"} 1',
    'doorward_logins_total{outcome="login_denied"} 1',
    'doorward_logouts_total{by="person"} 1',
    'doorward_refreshes_total{outcome="transient"} 1',
    'doorward_sessions_ended_total{reason="idle"} 1',
    'doorward_config_reloads_total{outcome="failed"} 1',
    'doorward_cache_entries{cache="session"} 3',
    'doorward_cache_bytes{cache="session"} 4096',
    'doorward_cache_hits_total{cache="session"} 10',
    'doorward_cache_misses_total{cache="session"} 2',
    'doorward_log_lines_dropped_total 5',
  ]) {
    has(text, line)
  }
  assert.match(metrics.contentType, /^text\/plain/)
})

test('each set of metrics stands alone; process figures come with it', async () => {
  const [one, other] = [createMetrics({ version: '1' }), quiet()]
  one.countLogin('ok')
  assert.match(await one.render(), /process_cpu_user_seconds_total/)
  assert.doesNotMatch(await other.render(), /process_cpu|doorward_logins_total\{/)
})
