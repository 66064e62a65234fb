/**
 * Loaded into every test process (`node --import`; plain JavaScript, so that it needs no build), to make two things visible that uvu hides:
 * what keeps the process alive after its tests (asked for by SIGUSR2), and errors that nobody caught. uvu sets
 * `process.exitCode = 0`, and Node then ends with 0 although an error was thrown while it was exiting.
 */
process.on('SIGUSR2', () => {
  const kinds = process.getActiveResourcesInfo().filter((kind) => !/^(TTYWrap|PipeWrap|SignalWrap|FSReqPromise)$/.test(kind))
  console.error(`still open: ${kinds.length === 0 ? 'nothing that Node can name' : kinds.join(', ')}`)
})

process.on('uncaughtExceptionMonitor', (error) => {
  console.error(`uncaught: ${error instanceof Error ? error.message : String(error)}`)
})
