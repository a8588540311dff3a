import { CommandError } from './world.ts'

/** Why a listener could not be opened, with what to do about it; anything else stays what it was. */
export function listenFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return failure(error, 'end the process that has it, or write another port in the file')
    case 'EACCES':
      return failure(error, 'ports below 1024 are for root: write a higher one')
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return failure(error, 'this machine has no such address; 0.0.0.0 stands for all it has')
    default:
      return error
  }
}

const failure = (error: Error, hint: string) => new CommandError(error.message, hint, { cause: error })

/** True where another port would do. */
export const isPortTaken = (error: unknown): boolean => error instanceof Error && codeOf(error) === 'EADDRINUSE'

/** Of the error or of what caused it. */
function codeOf(error: Error): unknown {
  if ('code' in error) return error.code
  return error.cause instanceof Error ? codeOf(error.cause) : undefined
}
