/** `compatibility: oauth2-proxy`, or a map with how it is asked and how it answers. */
import { z } from 'zod'
import { type CompatibilityConfig, compatibleGateways } from './compatibility-config.ts'
import { choice, reasonAndHint } from './schema-values.ts'

const product = () => choice(['oauth2-proxy'])

const compatibilityObject = z.strictObject({
  product: product().meta({ description: 'The product whose addresses are served: `oauth2-proxy`.' }),
  gateway: choice(compatibleGateways)
    .prefault('nginx')
    .meta({
      description:
        'Who asks `/oauth2/auth` on `forwardAuth`: the headers that tell what was asked for are those of this gateway. ' +
        '`nginx` is ingress-nginx too.',
    }),
  authStatus: z
    .preprocess(
      (value) => (value === '200' || value === '202' ? Number(value) : value),
      z.literal([200, 202], {
        error: reasonAndHint('is neither 200 nor 202', 'write 202, or 200 where that is asked'),
      }),
    )
    .prefault(202)
    .meta({ description: 'Status by which `/oauth2/auth` says yes. oauth2-proxy says 202; some gateways want 200.' }),
})

export const compatibilitySchema = z.union([
  product().transform((name): CompatibilityConfig => compatibilityObject.parse({ product: name })),
  compatibilityObject,
])
