/** What the suite has to know of a gateway to run it from its page in docs/gateways. */
import type { TestContext } from 'node:test'
import type { Gateway } from '../support/real-part.ts'

/** Where everything is in a test; the pages show other addresses. */
export interface Places {
  /** Of the application as browsers name it, without port. */
  readonly host: string
  /** The gateway's own, for https. */
  readonly port: number
  /** Doorward's `listen`. */
  readonly publicPort: number
  /** Doorward's `forwardAuth`, or its `extAuthz` where the gateway asks there. */
  readonly forwardAuthPort: number
  readonly applicationPort: number
  /** The gateway's files and whatever it writes. */
  readonly folder: string
  readonly certificate: string
  readonly key: string
  /** Certificate and key in one file. */
  readonly bundle: string
}

/** What a gateway cannot do, or does in its own way: words for the table. */
export type Remark = { readonly cannot: string } | { readonly but: string }

export interface GatewayProduct {
  /** As the table calls it. */
  readonly name: string
  /** As DOORWARD_REQUIRE names it. */
  readonly part: Gateway
  /** What makes the program tell its version, and where it stands in that. */
  readonly version: { readonly args: readonly string[]; readonly pattern: RegExp }
  /** Name -> text of each file, made from the page. */
  files(places: Places): Readonly<Record<string, string>>
  arguments(folder: string): readonly string[]
  readonly environment?: (folder: string) => Readonly<Record<string, string>>
  /** Starts what the gateway needs beside it. */
  readonly beside?: (t: TestContext, folder: string) => Promise<void>
  /** How long it may take to start, in milliseconds; 15 s unless said. */
  readonly patience?: number
  /** The listener that it asks; `forwardAuth` unless said. */
  readonly asks?: 'forwardAuth' | 'extAuthz'
  /** It asks nothing and sends everything to Doorward, which forwards by itself. */
  readonly isBeforeProxy?: boolean
  /** By the name of the question. */
  readonly remarks: Readonly<Record<string, Remark>>
}
