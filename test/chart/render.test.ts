/** What the chart makes of values: a table of them, each loaded by our own reader and held against Kubernetes’ schemas. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { parseConfigText } from '../../src/config/read.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { blocksOf, readPages } from '../docs/pages.ts'
import { skipUnless } from '../support/real-part.ts'
import { type Case, issuerCases } from './cases.ts'
import { lint, type Manifest, type Rendered, render } from './helm.ts'
import { objectCases } from './object-cases.ts'

/** Each `# values.yaml` of the page, as it stands there. */
const shown = readPages()
  .filter(({ file }) => file === 'docs/helm.md')
  .flatMap(blocksOf)
  .filter(({ code }) => /^# values\.yaml: /.test(code))
  .map(({ code, line }): Case => {
    const expect = ({ names }: Rendered) => assert.deepEqual(names('Deployment'), ['gate-doorward'])
    return { name: `docs/helm.md:${line}`, values: parse(code), expect }
  })
const cases: readonly Case[] = [...issuerCases, ...objectCases, ...shown]
const folder = mkdtempSync(path.join(tmpdir(), 'doorward-rendered-'))
after(() => rmSync(folder, { recursive: true }))

/** Files of the pod, made for the test; each secret another text. */
function withFiles(text: string): string {
  return text.replaceAll(/file: (\/run\/secrets\/\S+)/g, (_, named: string) => {
    const hash = createHash('sha256').update(named).digest('hex')
    writeFileSync(path.join(folder, hash), hash)
    return `file: ${path.join(folder, hash)}`
  })
}

const env = {
  DOORWARD_SESSION_SECRET: 'a-key-text-of-the-pod-0123456789abcdef',
  DOORWARD_CLIENT_SECRET: 'the-client-secret-of-the-pod',
  DOORWARD_REDIS_PASSWORD: 'the-password-of-redis',
}

/** Our own reader takes it, and warns of nothing but what the case is about. */
function load({ data }: Manifest) {
  const text = withFiles(data!['config.yaml']!)
  return resolveConfig(parseConfigText(text, 'config.yaml', env), { env, networkInterfaces: {} })
}

/** True of every pod that the chart makes, whatever the values. */
function checkPods({ manifests }: Rendered): void {
  for (const { kind, spec } of manifests) {
    const pod = kind === 'Deployment' ? spec.template.spec : kind === 'Pod' ? spec : undefined
    if (pod === undefined) continue
    assert.equal(pod.securityContext.runAsNonRoot, true)
    for (const container of pod.containers) {
      const { securityContext, volumeMounts, env: variables = [] } = container
      assert.equal(securityContext.readOnlyRootFilesystem, true)
      assert.equal(securityContext.allowPrivilegeEscalation, false)
      assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] })
      assert.deepEqual(securityContext.seccompProfile, { type: 'RuntimeDefault' })
      for (const mount of volumeMounts) assert.equal(mount.subPath, undefined)
      for (const { value } of variables) assert.equal(value, undefined, 'no secret is written out')
    }
    assert.equal(kind === 'Pod' || pod.terminationGracePeriodSeconds > 30, true)
  }
}

const rendered: { name: string; manifests: readonly Manifest[] }[] = []

describe('helm template', { skip: skipUnless('helm') }, () => {
  for (const { name, values, expect } of cases) {
    test(name, () => {
      const found = render(values)
      rendered.push({ name, manifests: found.manifests })
      expect(found)
      checkPods(found)
      for (const map of found.manifests.filter(({ kind }) => kind === 'ConfigMap')) load(map)
    })
  }

  test('the page shows values', () => assert.ok(shown.length >= 6))

  test('helm lint --strict has nothing to say', () => {
    for (const { values, name } of objectCases) assert.equal(lint(values), undefined, name)
  })

  test('every manifest is one of Kubernetes 1.25 and 1.37', { skip: skipSchemas() }, () => {
    assert.ok(rendered.length > 20)
    const all = rendered.flatMap(({ manifests }) => manifests.filter(({ apiVersion }) => !isCustom(apiVersion)))
    // Many are the same but for texts; each is looked at once, since the validator takes its time.
    const known = [...new Map(all.map((each) => [shapeOf(each), each])).values()]
    assert.ok(known.length > 30)
    const file = path.join(folder, 'all.yaml')
    writeFileSync(file, known.map((each) => stringify(each)).join('---\n'))
    for (const version of ['1.25.0', '1.37.0']) {
      const args = ['--strict', '--quiet', '-k', version, file]
      const { status, stdout, stderr } = spawnSync(validator(), args, { encoding: 'utf8', timeout: 120_000 })
      assert.equal(status, 0, `${version}: ${stdout}${stderr}`)
    }
    const broken = path.join(folder, 'broken.yaml')
    writeFileSync(broken, stringify({ ...known[0], spec: { podSelectr: {} } }))
    assert.notEqual(spawnSync(validator(), ['--strict', broken]).status, 0, 'the check does check')
  })
})

const shapeOf = ({ data, ...rest }: Manifest): string =>
  JSON.stringify(data === undefined ? rest : [rest, Object.keys(data)]).replaceAll(/[0-9a-f]{64}/g, '')

/** Kinds that come with other programs have no schema there. */
const isCustom = (apiVersion: string): boolean =>
  /^(?:gateway\.networking\.k8s\.io|gateway\.envoyproxy\.io|security\.istio\.io|traefik\.io|monitoring\.coreos\.com)\//.test(
    apiVersion,
  )

function validator(): string {
  return process.env.KUBERNETES_VALIDATE ?? '.cache/kubernetes-validate/bin/kubernetes-validate'
}

/** The script that installs helm installs the schemas with it. */
function skipSchemas(): string | false {
  return skipUnless('helm', existsSync(validator()))
}
