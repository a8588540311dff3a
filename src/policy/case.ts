/** Two ways to ignore case: narrowly where a match lets somebody in, widely where it keeps somebody out. */

/** ASCII letters alone. `K` (U+212A) is not `k`: such folds have handed accounts to strangers elsewhere. */
export const foldNarrowly = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** Every spelling that a careless upstream could take for the same path: `ı`, `K` and `ſ` are `i`, `k` and `s`. */
export const foldWidely = (text: string): string => text.toUpperCase().toLowerCase()
