import type { Output } from '../output.ts'
import { counted } from '../problem-report.ts'
import type { World } from '../world.ts'

/** Asks on a terminal; anything but yes is no, and so is a pipe. */
export async function confirm(changes: number, { stdin, stderr }: World, out: Output): Promise<boolean> {
  if (stdin.isTTY !== true || stderr.isTTY !== true) return false
  out.say(`make ${changes === 1 ? 'this change' : `these ${counted(changes, 'change')}`}? y/N`)
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (text.includes('\n')) break
  }
  return /^y(?:es)?$/i.test(text.trim())
}
