/** ISO 8601 in UTC for log lines. Lines of the same second share its text: `toISOString` costs more than the line. */
export function isoTime(): (now: number) => string {
  let second = Number.NaN
  let text = ''
  return (now) => {
    const current = Math.floor(now / 1000)
    if (current !== second) {
      second = current
      text = new Date(current * 1000).toISOString().slice(0, -4)
    }
    return `${text}${String(Math.floor(now) - current * 1000).padStart(3, '0')}Z`
  }
}
