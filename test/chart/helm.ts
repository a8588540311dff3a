/** Asks the real Helm what becomes of values. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { findPart } from '../support/real-part.ts'

type Strings = Readonly<Record<string, string>>

/** The parts of a pod that tests look at. */
export interface PodSpec {
  readonly serviceAccountName: string
  readonly automountServiceAccountToken: boolean
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: { readonly runAsNonRoot: boolean; readonly runAsUser: number }
  readonly topologySpreadConstraints: readonly { readonly topologyKey: string }[]
  readonly containers: readonly Container[]
  readonly volumes: readonly {
    readonly name: string
    readonly configMap?: { readonly name: string }
    readonly projected: {
      readonly defaultMode: number
      readonly sources: readonly {
        readonly secret: {
          readonly name: string
          readonly items: readonly { readonly key: string; readonly path: string }[]
        }
      }[]
    }
  }[]
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom: object }[]
  readonly readinessProbe: { readonly httpGet: { readonly port: string } }
  readonly securityContext: {
    readonly readOnlyRootFilesystem: boolean
    readonly allowPrivilegeEscalation: boolean
    readonly capabilities: object
    readonly seccompProfile: object
  }
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[]
}

interface NetworkRule {
  readonly ports: readonly object[]
  readonly from: readonly { readonly podSelector: { readonly matchLabels: Strings } }[]
}

/** Of all kinds together. */
interface Spec extends PodSpec {
  readonly replicas?: number
  readonly maxReplicas: number
  readonly strategy: object
  readonly template: { readonly metadata: { readonly annotations: Strings }; readonly spec: PodSpec }
  readonly ports: readonly { readonly name: string; readonly port: number; readonly appProtocol: string }[]
  readonly ingress: readonly NetworkRule[]
  readonly ingressClassName: string
  readonly tls: readonly object[]
  readonly rules: readonly {
    readonly host: string
    readonly http: { readonly paths: readonly { readonly path: string }[] }
    readonly matches: readonly object[]
    readonly timeouts?: object
  }[]
  readonly selector: { readonly matchLabels: Strings }
  readonly forwardAuth: object
  readonly targetRefs: readonly { readonly name: string }[]
  readonly extAuth: {
    readonly failOpen: boolean
    readonly timeout: string
    readonly headersToExtAuth: readonly string[]
    readonly http: {
      readonly path: string
      readonly backendRefs: readonly object[]
      readonly headersToBackend: readonly string[]
    }
  }
}

interface ProviderOfFile {
  readonly kind: string
  readonly issuer: string
  readonly internalUrl?: string
  readonly jwksUrl?: string
  readonly ca?: string
  readonly clientSecret: unknown
}

/** Keys of the file that tests look at. */
interface FileOfGateway {
  readonly listen: string
  readonly forwardAuth?: string
  readonly extAuthz?: string
  readonly operations: string
  readonly allowInsecureHttp?: boolean
  readonly bearer?: readonly object[]
  readonly provider: ProviderOfFile
  readonly providers: object
  readonly session: { readonly store: string; readonly secret: unknown }
  readonly redis: { readonly password: object }
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  /** As whoever asks for it expects it; what is not there fails the test that looks. */
  readonly spec: Spec
  readonly data?: Readonly<Record<string, string>>
  readonly automountServiceAccountToken?: boolean
}

export type Values = Readonly<Record<string, unknown>>

export interface Rendered {
  readonly text: string
  readonly manifests: readonly Manifest[]
  /** The one object of a kind, by the end of its name. @throws Error where there is none */
  one(kind: string, end?: string): Manifest
  /** All names of a kind. */
  names(kind: string): readonly string[]
  /** The file of the gateway, read. */
  readonly config: FileOfGateway
}

export interface RenderOptions {
  readonly chart?: string
  readonly flags?: readonly string[]
}

const folder = mkdtempSync(path.join(tmpdir(), 'doorward-chart-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

/** A Helm that was built from its module claims an old Kubernetes. */
const kubernetes = ['--kube-version', '1.33.0']

export function helm(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(findPart('helm')!, args, { encoding: 'utf8', timeout: 60_000 })
  return { status, stdout, stderr }
}

export function valuesFile(values: Values): string {
  const file = path.join(folder, `values-${files++}.yaml`)
  writeFileSync(file, JSON.stringify(values))
  return file
}

/** `helm template gate charts/doorward`, in namespace `auth`. @throws Error with what Helm says */
export function render(values: Values, { chart = 'charts/doorward', flags = [] }: RenderOptions = {}): Rendered {
  const result = template(values, chart, flags)
  if (result.status !== 0) throw new Error(result.stderr)
  return readRendered(result.stdout)
}

/** Why Helm does not render it, in one line. @throws Error where it does */
export function refusal(values: Values): string {
  const { status, stderr } = template(values, 'charts/doorward', [])
  if (status === 0) throw new Error('rendered, and should have been refused')
  return stderr.trim()
}

const template = (values: Values, chart: string, flags: readonly string[]) =>
  helm(['template', 'gate', chart, '--namespace', 'auth', ...kubernetes, '-f', valuesFile(values), ...flags])

/** @returns what `helm lint --strict` complains about; undefined where it does not */
export function lint(values: Values): string | undefined {
  const { status, stdout } = helm(['lint', '--strict', 'charts/doorward', ...kubernetes, '-f', valuesFile(values)])
  return status === 0 ? undefined : stdout
}

function readRendered(text: string): Rendered {
  const documents = parseAllDocuments(text)
  const wrong = documents.flatMap(({ errors }) => errors)
  if (wrong.length > 0) throw new Error(`${wrong[0]}\n${text}`)
  const manifests = documents.map((document) => document.toJS()).filter((one): one is Manifest => one !== null)
  const one = (kind: string, end = '') => {
    const found = manifests.find((each) => each.kind === kind && each.metadata.name.endsWith(end))
    if (found === undefined) throw new Error(`no ${kind} *${end} in:\n${text}`)
    return found
  }
  return {
    text,
    manifests,
    one,
    names: (kind) => manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name),
    get config() {
      return parseAllDocuments(one('ConfigMap', 'doorward').data!['config.yaml']!)[0]!.toJS()
    },
  }
}
