/**
 * What people and machines read: everything here takes verdict documents (and histories), and decides nothing.
 */
export { compare, renderComparison } from './compare.ts'
export { renderAnnotations, renderSummary } from './github.ts'
export { renderJunit } from './junit.ts'
export { renderReport } from './html/page.ts'
export { createTerminal, renderTable, renderVerdict } from './terminal.ts'
export { createReporter, defaultReporter, reporterNames } from './reporters.ts'
export type { Comparison } from './compare.ts'
export type { NamedDocument } from './junit.ts'
export type { ReporterName, ReporterOptions } from './reporters.ts'
export type { Reporter, RunEvent } from './events.ts'
export type { ReportInput, ReportRun, Surroundings } from './html/data.ts'
