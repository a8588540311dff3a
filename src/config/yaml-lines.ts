import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter } from 'yaml'
import type { KeyPath } from './problems.ts'

/**
 * The line on which the key or list item at `path` is written; where the path goes on but the file does not (a
 * missing key), the line of the last part that is there.
 */
export function lineAt(document: Document, lines: LineCounter, path: KeyPath): number | undefined {
  let node: unknown = document.contents
  let offset = offsetOf(node)
  for (const step of path) {
    const next = childOf(document, node, step)
    if (next === undefined) break
    node = next.value
    offset = next.offset ?? offset
  }
  return offset === undefined ? undefined : lines.linePos(offset).line
}

interface Child {
  readonly value: unknown
  readonly offset: number | undefined
}

function childOf(document: Document, parent: unknown, step: string | number): Child | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step]
    return item === undefined ? undefined : { value: item, offset: offsetOf(item) }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step))
  return pair === undefined ? undefined : { value: pair.value, offset: offsetOf(pair.key) }
}

const offsetOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)
