/** As much of RFC 6455 as it takes to close somebody else's websocket: where a frame ends, and a Close frame. */

export interface FrameFollower {
  /**
   * Follows the bytes of `chunk` from `start` to the end of the frame they are in.
   * @returns the position after that frame, or -1 where the chunk ends first
   */
  next(chunk: Buffer, start: number): number
  /** The bytes followed so far end with a whole frame: another may be put in here. */
  readonly atBoundary: boolean
}

/** Follows the frames of one direction by their lengths alone; payloads are never looked at. */
export function createFrameFollower(): FrameFollower {
  const header = Buffer.alloc(14)
  let have = 0
  let left = 0
  let inPayload = false

  function next(chunk: Buffer, start: number): number {
    let position = start
    while (!inPayload) {
      if (position >= chunk.length) return -1
      header[have++] = chunk[position++]!
      if (have < 2 || have < headerLength(header)) continue
      left = payloadLength(header)
      have = 0
      inPayload = true
    }
    const taken = Math.min(left, chunk.length - position)
    left -= taken
    if (left > 0) return -1
    inPayload = false
    return position + taken
  }

  return {
    next,
    get atBoundary() {
      return !inPayload && have === 0
    },
  }
}

/** RFC 6455 5.2: two bytes, an extended length of 0, 2 or 8, and a mask of 0 or 4. */
function headerLength(header: Buffer): number {
  const length = header[1]! & 0x7f
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (header[1]! & 0x80 ? 4 : 0)
}

function payloadLength(header: Buffer): number {
  const length = header[1]! & 0x7f
  if (length === 126) return header.readUInt16BE(2)
  return length === 127 ? Number(header.readBigUInt64BE(2)) : length
}

/** An unmasked Close frame, as servers send it (RFC 6455 5.5.1). Codes from 4000 on are the application's. */
export function closeFrame(code: number): Buffer {
  return Buffer.from([0x88, 0x02, code >> 8, code & 0xff])
}
