/** What a connection to a store has been through since the process started; for the metrics. */
export interface LinkFigures {
  readonly connected: boolean
  /** Times a connection came to stand: the first, and each after a loss. */
  readonly connects: number
  readonly commands: number
  /** Commands without a useful reply in time; those refused while the link was down are among them. */
  readonly failures: number
  /** Seconds spent waiting for replies, all commands together. */
  readonly seconds: number
}
