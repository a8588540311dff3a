import type { Clock } from '../../src/core/clock.ts'

/** Starts at the real time, so that tokens of a real provider fit, and moves when told. */
export interface MovableClock extends Clock {
  /** @param milliseconds forward */
  move(milliseconds: number): void
}

export const seconds = 1000
export const minutes = 60 * seconds
export const hours = 60 * minutes

export function movableClock(): MovableClock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    move(milliseconds) {
      ahead += milliseconds
    },
  }
}
