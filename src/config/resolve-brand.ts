import path from 'node:path'
import type { BrandConfig } from './config.ts'
import { type Resolving, readNamedFile } from './resolving.ts'
import { brandSchema } from './schema-server.ts'
import { readShape } from './shape.ts'
import { valueAt } from './tree.ts'

const largestLogo = 256 * 1024
const imageTypes: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
}

export function resolveBrand(context: Resolving): BrandConfig {
  const written = valueAt(context.content, ['brand']) === undefined ? { brand: {} } : context.content
  const { name, logo, color, background, contact } =
    readShape(brandSchema, written, ['brand'], context.problems) ?? brandSchema.parse({})
  const file = typeof logo === 'object' ? logo.file : logo
  return { name, logo: file === undefined ? undefined : readLogo(file, context), color, background, contact }
}

/** As a data: URL in an <img>, where even an SVG runs no script. */
function readLogo(file: string, context: Resolving): string | undefined {
  const at = ['brand', 'logo']
  const type = imageTypes[path.extname(file).toLowerCase()]
  if (type === undefined) {
    context.problems.add(at, 'is not an image file by its name', 'name a .png, .svg, .jpg or .webp file')
    return undefined
  }
  const image = readNamedFile(file, at, largestLogo, context)
  return image === undefined ? undefined : `data:${type};base64,${image.toString('base64')}`
}
