const frames = ['|', '/', '-', '\\']
/** Milliseconds; shorter work needs no sign of life. */
const patience = 300
const step = 120

/** Draws a turning bar on a line of its own, and wipes it when the returned function is called. */
export function startSpinner(terminal: { write(text: string): unknown }, doing: string): () => void {
  let drawn = 0
  let timer = setTimeout(draw, patience)
  timer.unref()
  function draw() {
    terminal.write(`\r${frames[drawn++ % frames.length]} ${doing}`)
    timer = setTimeout(draw, step)
    timer.unref()
  }
  return () => {
    clearTimeout(timer)
    if (drawn > 0) terminal.write(`\r${' '.repeat(doing.length + 2)}\r`)
  }
}
