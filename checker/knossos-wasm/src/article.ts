/** A word behind its article, as it is spoken: a register, an append-list. */
export const withArticle = (word: string): string => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`
