/** Generators: what to do next, as pure values. */
export * from './generator.ts'
export * from './basic.ts'
export * from './choice.ts'
export * from './timing.ts'
export * from './threads.ts'
export * from './independent.ts'
