/** Whether the process that runs is the one the file describes: its config, its secrets, its version. */
import { secretFingerprints } from '../../http/secret-fingerprints.ts'
import { readVersion } from '../../telemetry/version.ts'
import type { Examination, Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { askStatus, type RunningStatus } from './running-status.ts'

export const runningProcess: Examination = {
  name: 'running process',
  async examine(patient) {
    const answer = await askStatus(patient)
    if (answer.kind === 'unseen') return [unseen(answer.address, answer.why)]
    const { status, address } = answer
    return [...versions(status, address), ...configs(status, patient, address), ...secrets(status, patient)]
  },
}

const unseen = (place: string, why: string): Finding => ({
  name: 'process-unseen',
  severity: 'unseen',
  place,
  cause: `the running process cannot be asked: ${why}`,
  fix: 'run the doctor beside it (`kubectl exec`, `docker exec`), or name its address: --operations http://host:9180',
})

function versions({ version }: RunningStatus, place: string): readonly Finding[] {
  const own = readVersion()
  if (version === own) return []
  return [
    {
      name: 'process-other-version',
      severity: 'warning',
      place,
      cause: `the running process is version ${version}, and this doctor ${own}`,
      fix: 'restart the process with the version that is installed, or use the doctor of its own image',
    },
  ]
}

/** A refused reload explains the other hash, so it is told in its place. */
function configs({ configHash, reloadProblem }: RunningStatus, patient: Patient, place: string): readonly Finding[] {
  const { hash } = patient.config
  if (configHash === hash) return []
  if (reloadProblem !== undefined) {
    return [
      {
        name: 'process-reload-refused',
        severity: 'warning',
        place,
        cause: `the running process refused the last change of its file and goes on with the one before: ${reloadProblem}`,
        fix: 'run `doorward check`, repair the file, and it is taken over by itself',
      },
    ]
  }
  return [
    {
      name: 'process-other-config',
      severity: 'warning',
      place,
      cause: `the running process works by another file (hash ${configHash}) than this one (${hash})`,
      fix: 'send it SIGHUP or restart it; if it was started with another --config, examine that one',
    },
  ]
}

/** Without the same session.secret the others cannot be compared: it is what their fingerprints are keyed by. */
function secrets({ secrets: theirs }: RunningStatus, { config }: Patient): readonly Finding[] {
  const differing = Object.entries(secretFingerprints(config))
    .filter(([place, fingerprint]) => theirs.has(place) && theirs.get(place) !== fingerprint)
    .map(([place]) => place)
  const places = differing.includes('session.secret') ? ['session.secret'] : differing
  return places.map((place) => ({
    name: 'process-other-secret',
    severity: 'error',
    place,
    cause: 'the running process holds another secret than the file names now',
    fix: 'restart it: a value from the environment never changes in a running process, and one from a file within seconds',
  }))
}
