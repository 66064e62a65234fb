export * from './generator.ts'
