import type { BrandConfig } from '../../config/config.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'

/** What stands in the frame of the provider's sign-out page. Rarely seen, and nothing to press in it. */
export const providerSignedOutPage = (brand: BrandConfig): Html =>
  layout(brand, { heading: 'Signed out', body: html`<p>The session at ${brand.name} has ended.</p>` })
