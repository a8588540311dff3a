/** Recipes run as their pages show them: the file of a page, with the addresses of a test. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { blocksOf } from '../docs/pages.ts'
import { replaced } from '../gateways/documented.ts'
import type { ConfigKeys, World } from '../support/gateway.ts'

/** The only block of docs/recipes/<page>.md in this language that holds a text. @throws Error where there is none, or more */
export function recipeBlock(page: string, language: string, holds: string): string {
  const file = `docs/recipes/${page}.md`
  const found = blocksOf({ file, text: readFileSync(file, 'utf8') }).filter(
    (block) => block.language === language && block.code.includes(holds),
  )
  if (found.length !== 1) throw new Error(`${file} shows ${holds} ${found.length} times, not once`)
  return found[0]!.code
}

/**
 * The keys of a page's file, for a test: all but its address and its provider, with another upstream.
 *
 * @param holds what only that file of the page holds, if not the upstream
 */
export function recipeKeys(
  page: string,
  { publicUrl, issuer }: World,
  upstream: readonly [written: string, here: string],
  holds: string = upstream[0],
): ConfigKeys {
  const text = recipeBlock(page, 'yaml', holds)
  const address = /^publicUrl: (\S+)$/m.exec(text)![1]!
  const pairs = [upstream, [address, publicUrl], ['https://keycloak.example.com/realms/main', issuer]] as const
  const keys: ConfigKeys = parse(replaced(text, pairs))
  return Object.fromEntries(Object.entries(keys).filter(([key]) => !['publicUrl', 'provider'].includes(key)))
}
