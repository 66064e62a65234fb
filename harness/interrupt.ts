/**
 * Ctrl-C and SIGTERM: the first stops the clients, heals, and judges what was recorded; the second leaves at once
 * (`splitbrain clean` then removes what is left).
 */

/** A signal that aborts at the first interrupt. `dispose` takes the handlers away. */
export function onInterrupt(tell: (message: string) => void): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  const handle = (): void => {
    if (controller.signal.aborted) process.exit(255)
    controller.abort(new Error('interrupted'))
    tell('Interrupted: stopping the clients, healing, judging what was recorded. Once more to leave at once.')
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGINT', handle)
      process.off('SIGTERM', handle)
    },
  }
}
