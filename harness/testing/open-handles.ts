/**
 * Loaded into every test process (`node --import`): on SIGUSR2 it says what keeps the process alive,
 * so that a leaked handle is named and not only noticed.
 */
process.on('SIGUSR2', () => {
  const kinds = process.getActiveResourcesInfo().filter((kind) => !/^(TTYWrap|PipeWrap|SignalWrap|FSReqPromise)$/.test(kind))
  console.error(`still open: ${kinds.length === 0 ? 'nothing that Node can name' : kinds.join(', ')}`)
})
