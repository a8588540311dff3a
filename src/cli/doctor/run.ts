/** Runs examinations side by side, each bounded by the patient's signal; none can stop or break another. */
import type { Case, Examination, Patient } from './examination.ts'
import type { Finding } from './finding.ts'
import { openSignIns } from './sign-ins.ts'

/**
 * The findings of all, in the order of the list.
 * @param onChange told the names of those still at work, whenever one is done
 */
export async function runExaminations(
  examinations: readonly Examination[],
  about: Case,
  onChange: (atWork: readonly string[]) => void,
): Promise<readonly Finding[]> {
  const signIns = openSignIns(about)
  const patient = { ...about, signIns }
  const atWork = new Set(examinations.map(({ name }) => name))
  onChange([...atWork])
  const found = examinations.map(async (examination) => {
    const findings = await outcomeOf(examination, patient)
    atWork.delete(examination.name)
    onChange([...atWork])
    return findings
  })
  try {
    return (await Promise.all(found)).flat()
  } finally {
    await signIns.close()
  }
}

async function outcomeOf(examination: Examination, patient: Patient): Promise<readonly Finding[]> {
  const ended = new Promise<readonly Finding[]>((resolve) => {
    const stop = () => resolve([unfinished(examination)])
    if (patient.signal.aborted) stop()
    else patient.signal.addEventListener('abort', stop, { once: true })
  })
  const looked = examination.examine(patient).catch((error: unknown) => [failed(examination, error)])
  return Promise.race([looked, ended])
}

/** An examination that was cut off has not found the set-up healthy. */
export const isCutOff = ({ name }: Finding): boolean => cutOff.has(name)

const cutOff = new Set(['examination-unfinished', 'examination-failed'])

const unfinished = ({ name }: Examination): Finding => ({
  name: 'examination-unfinished',
  severity: 'unseen',
  place: name,
  cause: 'the examination was ended before it was done',
  fix: 'run it again with a longer --timeout; what is slow is named in no other finding',
})

/** Its message alone: a stack is for developers. */
const failed = ({ name }: Examination, error: unknown): Finding => ({
  name: 'examination-failed',
  severity: 'unseen',
  place: name,
  cause: `the examination itself failed: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}`,
  fix: 'please report this; the other examinations stand',
})
