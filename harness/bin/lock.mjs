/**
 * A lock between processes that survives their deaths: a file that names its holder. Node has no flock, so the
 * holder's process is looked up instead; where that is impossible (a folder shared between machines or containers)
 * the holder's heartbeat counts: it touches the file every second, and a file that a waiter has seen untouched for
 * ten of its own seconds belongs to nobody.
 */
import { readFileSync, rmdirSync, mkdirSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const HEARTBEAT_MS = 1_000
const SILENCE_MS = 10_000
const POLL_MS = 100

/** When the kernel started this process, so that a reused pid is not mistaken for the holder. Empty outside Linux. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return ''
  }
}

function isAlive({ pid, start }) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
  }
  return start === '' || startOf(pid) === start
}

/** What the lock file says and when it was last touched; undefined when there is none. */
function look(path) {
  try {
    const text = readFileSync(path, 'utf8')
    return { text, touched: statSync(path).mtimeMs }
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function holderIn(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // still being written, or its writer died doing so: the heartbeat decides
  }
}

/** Removes a dead holder's file. A folder serialises this, so that nobody removes the next holder's file by mistake. */
function bury(path, text) {
  const guard = `${path}.burial`
  try {
    mkdirSync(guard)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    const made = statSync(guard, { throwIfNoEntry: false })
    if (made && Date.now() - made.mtimeMs > SILENCE_MS) rmdirSync(guard)
    return
  }
  try {
    if (look(path)?.text === text) unlinkSync(path)
  } finally {
    rmdirSync(guard)
  }
}

function tryTake(path, text) {
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/**
 * Runs `work` while holding the lock at `path`. `onWait` is called once, with the holder's pid where it is known,
 * if somebody else holds it.
 */
export async function withLock(path, onWait, work) {
  const mine = JSON.stringify({ pid: process.pid, start: startOf(process.pid), host: hostname(), nonce: Math.random() })
  let waiting = false
  let last
  let lastChange = performance.now()
  while (!tryTake(path, mine)) {
    const seen = look(path)
    if (seen === undefined) continue
    const holder = holderIn(seen.text)
    if (last?.text !== seen.text || last.touched !== seen.touched) lastChange = performance.now()
    last = seen
    const silent = performance.now() - lastChange > SILENCE_MS
    const dead = holder?.host === hostname() ? !isAlive(holder) : silent
    if (dead) {
      bury(path, seen.text)
      continue
    }
    if (!waiting) onWait(holder?.pid)
    waiting = true
    await sleep(POLL_MS)
  }
  const release = () => {
    if (look(path)?.text === mine) unlinkSync(path)
  }
  const heartbeat = setInterval(() => {
    const now = new Date()
    if (look(path)?.text === mine) utimesSync(path, now, now)
  }, HEARTBEAT_MS)
  process.on('exit', release)
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    process.off('exit', release)
    release()
  }
}
