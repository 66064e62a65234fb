/** How many events a second the virtual clock runs, bare and under a simulated cluster. */
import { VirtualClock, sleep } from '../../../harness/clock.ts'
import { seededRandom } from '../../../harness/random.ts'
import { simDriver } from '../sim/driver.ts'
import { ToyConnection, toySystem } from '../testing/toy.ts'

const EVENTS = 1_000_000

async function bareClock(actors: number): Promise<string> {
  const clock = new VirtualClock()
  const start = performance.now()
  await clock.run(async () => {
    const actor = async (index: number): Promise<void> => {
      for (let turn = 0; turn < EVENTS / actors; turn++) await sleep(clock, 1 + (index * (turn % 7)) / 1_000)
    }
    await Promise.all(Array.from({ length: actors }, (_, index) => actor(index)))
  })
  return rate(`${actors} promise-based actors`, clock.eventsRun, performance.now() - start)
}

/** Five nodes, ten clients that write, read and pass messages on for a minute of virtual time. */
async function simulatedMinute(): Promise<string> {
  const clock = new VirtualClock()
  const nodes = ['n1', 'n2', 'n3', 'n4', 'n5']
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const start = performance.now()
  await clock.run(async () => {
    const cluster = await simDriver({ clock }).start(toySystem(), { runId: 'bench', nodes, dir: '', seed: 1, random: seededRandom(1), log: silent })
    const client = async (index: number): Promise<void> => {
      const connection = await ToyConnection.open(cluster, nodes[index % 5]!, 'client', 1_000)
      for (let turn = 0; clock.now() < 60e9; turn++) {
        await connection.ask([`SET k${turn % 10} ${turn}`, `GET k${turn % 10}`, `SEND ${nodes[turn % 5]!} hello`][turn % 3]!, 1_000)
        await sleep(clock, 10)
      }
    }
    await Promise.all(Array.from({ length: 10 }, (_, index) => client(index)))
    await cluster.stop()
  })
  return rate('a simulated minute of 5 toy nodes and 10 clients', clock.eventsRun, performance.now() - start)
}

function rate(what: string, events: number, ms: number): string {
  return `${what}: ${events} events in ${(ms / 1_000).toFixed(2)} s, ${(events / ms / 1_000).toFixed(2)} M/s`
}

export const bench = {
  name: 'virtual-clock',
  describes: 'events per second of the virtual clock and of the simulator',
  async run(_args: readonly string[], print: (line: string) => void): Promise<void> {
    for (const actors of [1, 10, 100]) print(await bareClock(actors))
    for (let turn = 0; turn < 3; turn++) print(await simulatedMinute())
  },
}
