/** Reading secrets where the file points to. No message of this file shows any part of a secret. */
import { Secret } from '../core/secret.ts'
import { isPlaceholder, namesVariable } from './interpolate.ts'
import type { KeyPath } from './problems.ts'
import { type Resolving, readNamedFile } from './resolving.ts'
import type { SecretRef } from './schema-values.ts'

const largestSecret = 64 * 1024
const makeOne = 'make one with: openssl rand -hex 32'

/**
 * The trimmed text a reference stands for, never decoded; undefined, with a problem, where there is none.
 * `recipe` tells how to make one, where that is ours to do: the provider's or an upstream's come from there.
 */
export function readSecret(reference: SecretRef, at: KeyPath, context: Resolving, recipe?: string): Secret | undefined {
  const written = textOf(reference, at, context, recipe)
  if (written === undefined) return undefined
  const text = written.trim()
  if (text.length >= 3 && !namesVariable(text)) context.problems.hide(text, '[secret]')
  const hint = recipe ?? 'put the real one there'
  if (text === '') context.problems.add(at, 'the secret is empty', hint)
  else if (reference.from !== 'text' && isPlaceholder(text))
    context.problems.add(at, 'the secret is a placeholder nobody replaced', hint)
  else return new Secret(text)
  return undefined
}

function textOf(reference: SecretRef, at: KeyPath, context: Resolving, recipe?: string): string | undefined {
  if (reference.from === 'text') return reference.text
  if (reference.from === 'file') return readNamedFile(reference.file, at, largestSecret, context)?.toString('utf8')
  const value = context.env[reference.name]
  if (value === undefined) {
    const hint = recipe === undefined ? 'set it' : `set it; ${recipe}`
    context.problems.add(at, `the environment variable ${reference.name} is not set`, hint)
    return undefined
  }
  context.warnings.add(
    at,
    'comes from the environment, so a running process cannot see it change',
    'use { file } to rotate it without a restart',
  )
  return value
}

const shortestKey = 32
/** 32 random hex digits hold fewer different ones about once in 10 million keys. */
const fewestCharacters = 7

/** A secret that keys are made from: long, and not visibly repetitive. */
export function readKeySecret(reference: SecretRef, at: KeyPath, context: Resolving): Secret | undefined {
  const secret = readSecret(reference, at, context, makeOne)
  if (secret === undefined) return undefined
  const weakness = weaknessOf(secret.reveal())
  if (weakness === undefined) return secret
  context.problems.add(at, weakness, makeOne)
  return undefined
}

function weaknessOf(text: string): string | undefined {
  if (text.length < shortestKey) return `the secret has fewer than ${shortestKey} characters`
  const repeats = new Set(text).size < fewestCharacters || hasPeriod(text)
  return repeats ? 'the secret repeats itself, so it can be guessed' : undefined
}

/** True where the text is one piece written at least twice. */
function hasPeriod(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period++) {
    if (text.slice(period) === text.slice(0, -period)) return true
  }
  return false
}
