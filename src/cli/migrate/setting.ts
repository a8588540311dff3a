/** What becomes of one setting of oauth2-proxy. The reader, the report and the table of docs/ are made from these rows. */
export interface Setting {
  /** `list` may be given several times; `secret` is a text that is never shown or written. */
  readonly kind: 'text' | 'list' | 'switch' | 'secret'
  readonly fate: Fate
}

export type Fate =
  /** Written under `key` of our file. */
  | { readonly is: 'carried'; readonly key: string; readonly note: string }
  /** Doorward does so in any case: nothing to write. */
  | { readonly is: 'always'; readonly how: string }
  /** Nothing of ours does it. `unless`: the value by which nothing is lost. */
  | { readonly is: 'none'; readonly why: string; readonly unless: string }
  /** It would weaken. */
  | { readonly is: 'refused'; readonly why: string; readonly unless: string }

type Kind = Setting['kind']

export const carried = (kind: Kind, key: string, note = ''): Setting => ({ kind, fate: { is: 'carried', key, note } })
export const always = (kind: Kind, how: string): Setting => ({ kind, fate: { is: 'always', how } })
export const none = (kind: Kind, why: string, unless = 'false'): Setting => ({
  kind,
  fate: { is: 'none', why, unless },
})
export const refused = (kind: Kind, why: string, unless = 'false'): Setting => ({
  kind,
  fate: { is: 'refused', why, unless },
})
