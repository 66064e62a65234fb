/**
 * A door of the node: it speaks RESP with whoever connects and carries out commands from a table.
 *
 * Commands of one connection may run side by side, but their answers go out in the order of the commands, and two
 * commands on the same key never run side by side: a pipelined GET sees the SET before it. Answers are written once
 * per turn of the event loop. A connection whose peer does not read its answers, or that has too many commands
 * waiting, is not read from until that has changed.
 *
 * Nobody can hold a door for long: beyond so many connections the next is told BUSY; a command must have arrived as a
 * whole soon after its first byte; and a peer that reads none of its answers for as long is sent away.
 */
import type { Clock, Log, Stream, Timer } from '../../harness/env.ts'
import type { OpenKey } from './client-cache/open-keys.ts'
import { StoreError } from './errors.ts'
import type { Eventually } from './eventually.ts'
import type { Level } from './replication/levels.ts'
import { CommandParser, ProtocolError, errorReply } from './resp.ts'
import type { RespLimits } from './resp.ts'
import { SessionClocks } from './session-clocks.ts'

/** Answers unwritten, and commands unanswered, at which a connection is no longer read. */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024
const COMMANDS_MAX = 1024
const RELIEF_CHECK_MS = 5
/** How long the rest of a command may take to arrive, and how long a peer may leave its answers unread. */
const PATIENCE_MS = 30_000

/** What a command may know of the connection that it came on. */
export interface Session {
  protocol: 2 | 3
  name: string
  authenticated: boolean
  /** The consistency level of this connection's operations; undefined: as configured. */
  level: Level | undefined
  readonly id: number
  readonly clocks: SessionClocks
  /** Keys between OPEN and CLOSE. */
  readonly opened: Map<string, OpenKey>
  /** Commands since MULTI, until EXEC carries them out together. */
  queued: (readonly Buffer[])[] | undefined
}

/** One command of a door. */
export interface Command {
  /** How many words it takes, its own name included. */
  readonly words: readonly [min: number, max: number]
  /** Which words are keys: commands on the same key wait for each other. */
  readonly keys: 'none' | 'first' | 'all'
  /** Carries it out and encodes the answer. */
  run(words: readonly Buffer[], session: Session): Eventually<string>
  /** Whether the connection ends with this answer. */
  readonly closes?: boolean
}

/** What a door is made of. */
export interface DoorOptions {
  readonly clock: Clock
  readonly log: Log
  readonly limits: RespLimits
  readonly connectionsMax: number
  /** Bytes of commands that are not complete, over all connections. */
  readonly halfReadBytesMax: number
  readonly commands: ReadonlyMap<string, Command>
  /** Refuses every command but AUTH until a session is authenticated, and ends it at the first other one. */
  readonly guarded: boolean
  /** A guarded connection that has not authenticated by then is closed. */
  readonly authenticationDeadlineMs?: number
}

/** Counts for whoever asks how busy a door is. */
export interface DoorCounts {
  connections: number
  commands: number
  errors: number
}

/** All connections of one door. */
export class Door {
  readonly counts: DoorCounts = { connections: 0, commands: 0, errors: 0 }
  readonly options: DoorOptions
  readonly #open = new Set<Connection>()
  readonly #dirty: Connection[] = []
  #accepted = 0
  #halfRead = 0

  constructor(options: DoorOptions) {
    this.options = options
  }

  /** Serves one more connection. */
  accept(stream: Stream): void {
    if (this.counts.connections >= this.options.connectionsMax) {
      this.counts.errors++
      stream.write(Buffer.from(errorReply('BUSY', `this port has ${this.counts.connections} connections already`)))
      stream.close()
      return
    }
    const connection = new Connection(this, stream, ++this.#accepted)
    this.#open.add(connection)
    this.counts.connections++
  }

  /** Ends every connection. */
  close(): void {
    for (const connection of this.#open) connection.end()
  }

  forget(connection: Connection): void {
    if (this.#open.delete(connection)) this.counts.connections--
  }

  /** A connection holds so many bytes more, or less, of a command that is not complete. Whether that still fits. */
  hold(bytes: number): boolean {
    this.#halfRead += bytes
    return bytes <= 0 || this.#halfRead <= this.options.halfReadBytesMax
  }

  /** Has the connection write its answers at the end of this turn. */
  writeSoon(connection: Connection): void {
    if (this.#dirty.push(connection) > 1) return
    this.options.clock.after(0, () => {
      for (const dirty of this.#dirty.splice(0)) dirty.write()
    })
  }
}

/** A command that was read, and its answer as soon as there is one. */
interface Slot {
  readonly command: Command
  readonly words: readonly Buffer[]
  readonly keys: readonly string[]
  reply: string | undefined
}

const NO_KEYS: readonly string[] = []

class Connection {
  readonly #door: Door
  readonly #stream: Stream
  readonly #parser: CommandParser
  readonly #session: Session
  /** Commands in the order of their arrival, unanswered first; those from `#started` on have not begun. */
  #slots: Slot[] = []
  #started = 0
  readonly #busyKeys = new Set<string>()
  #output = ''
  #held = 0
  #written = 0
  #writeQueued = false
  #paused = false
  #ending = false
  #closed = false
  #patience: Timer | undefined
  #halfReadTimer: Timer | undefined
  #unreadTimer: Timer | undefined

  constructor(door: Door, stream: Stream, id: number) {
    this.#door = door
    this.#stream = stream
    this.#session = { protocol: 2, name: '', authenticated: !door.options.guarded, level: undefined, id, clocks: new SessionClocks(id), opened: new Map(), queued: undefined }
    this.#parser = new CommandParser(door.options.limits)
    stream.onData(chunk => this.#receive(chunk))
    stream.onClose(() => this.#gone())
    const { guarded, authenticationDeadlineMs, clock } = door.options
    if (guarded && authenticationDeadlineMs !== undefined) {
      this.#patience = clock.after(authenticationDeadlineMs, () => {
        if (!this.#session.authenticated) this.end()
      })
    }
  }

  /** Writes what is there and closes. */
  end(): void {
    if (this.#closed) return
    this.#ending = true
    this.write()
    this.#stream.close()
    this.#gone()
  }

  /** Writes the answers that are ready. */
  write(): void {
    this.#writeQueued = false
    if (this.#closed || this.#output === '') return
    const bytes = Buffer.from(this.#output, 'latin1')
    this.#output = ''
    this.#stream.write(bytes)
    this.#written += bytes.length
    this.#watchUnread()
    this.#relieve()
  }

  /** Sends away a peer that reads nothing for too long while there is something to read. */
  #watchUnread(): void {
    if (this.#unreadTimer !== undefined || this.#closed) return
    if (this.#stream.buffered === 0) return
    const read = this.#written - this.#stream.buffered
    this.#unreadTimer = this.#door.options.clock.after(PATIENCE_MS, () => {
      this.#unreadTimer = undefined
      if (this.#written - this.#stream.buffered <= read) this.#drop('its peer reads no answers')
      else this.#watchUnread()
    })
  }

  /** Ends the connection without another word: nobody would read it. */
  #drop(why: string): void {
    this.#door.options.log.warn(`a connection was closed: ${why}`)
    this.#ending = true
    this.#output = ''
    this.#stream.close()
    this.#gone()
  }

  #receive(chunk: Uint8Array): void {
    if (this.#ending) return
    try {
      this.#parser.push(chunk, words => this.#queue(words))
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#refuse('ERR', error.message)
      this.#ending = true
    }
    this.#account(this.#parser.held)
    this.#advance()
    // Answers that needed nobody else leave at once; the others leave together at the end of a turn.
    this.write()
    this.#relieve()
  }

  /** Keeps the door's account of half-read commands; who asks for more than there is room for is sent away. */
  #account(held: number): void {
    const fits = this.#door.hold(held - this.#held)
    this.#held = held
    if (held === 0) {
      this.#halfReadTimer?.cancel()
      this.#halfReadTimer = undefined
    } else this.#halfReadTimer ??= this.#door.options.clock.after(PATIENCE_MS, () => this.#tooSlow())
    if (fits) return
    this.#refuse('BUSY', 'too many commands are half sent')
    this.#ending = true
  }

  #tooSlow(): void {
    if (this.#closed) return
    this.#refuse('ERR', `a command must arrive within ${PATIENCE_MS / 1000} s`)
    this.#ending = true
    this.#advance()
  }

  #queue(words: readonly Buffer[]): void {
    if (this.#ending) return
    // The next command has time of its own.
    this.#halfReadTimer?.cancel()
    this.#halfReadTimer = undefined
    this.#door.counts.commands++
    const name = words[0]!.toString('latin1').toUpperCase()
    const command = this.#door.options.commands.get(name)
    if (!this.#session.authenticated && name !== 'AUTH') {
      this.#refuse('NOAUTH', 'say AUTH <token> first')
      this.#ending = true
    } else if (command === undefined) this.#refuse('ERR', `unknown command '${name.slice(0, 64)}'`)
    else if (words.length < command.words[0] || words.length > command.words[1]) this.#refuse('ERR', `wrong number of arguments for '${name.toLowerCase()}' command`)
    else {
      if (command.closes === true) this.#ending = true
      const keys = command.keys === 'none' ? NO_KEYS : (command.keys === 'first' ? words.slice(1, 2) : words.slice(1)).map(word => word.toString('latin1'))
      this.#slots.push({ command, words, keys, reply: undefined })
      this.#start()
    }
  }

  #refuse(code: string, message: string): void {
    this.#door.counts.errors++
    this.#slots.push({ command: REFUSED, words: [], keys: NO_KEYS, reply: errorReply(code, message) })
    this.#start()
  }

  /** Begins commands, in order, until one must wait for an earlier one on its key. */
  #start(): void {
    while (this.#started < this.#slots.length) {
      const slot = this.#slots[this.#started]!
      if (slot.reply === undefined) {
        if (this.#busyKeys.size > 0 && slot.keys.some(key => this.#busyKeys.has(key))) return
        this.#run(slot)
      }
      this.#started++
    }
  }

  #run(slot: Slot): void {
    let reply: Eventually<string>
    try {
      reply = slot.command.run(slot.words, this.#session)
    } catch (error) {
      reply = this.#failure(error)
    }
    // Whoever does not know the secret gets no second guess on this connection.
    if (!this.#session.authenticated) this.#ending = true
    if (typeof reply === 'string') {
      slot.reply = reply
      return
    }
    for (const key of slot.keys) this.#busyKeys.add(key)
    reply.then(
      text => this.#finish(slot, text),
      (error: unknown) => this.#finish(slot, this.#failure(error)),
    )
  }

  #finish(slot: Slot, reply: string): void {
    slot.reply = reply
    for (const key of slot.keys) this.#busyKeys.delete(key)
    if (this.#closed) return
    this.#start()
    this.#advance()
    if (this.#output === '' || this.#writeQueued) return
    this.#writeQueued = true
    this.#door.writeSoon(this)
  }

  /** Moves the answers that are next in line to the output. */
  #advance(): void {
    let ready = 0
    while (ready < this.#slots.length && this.#slots[ready]!.reply !== undefined) this.#output += this.#slots[ready++]!.reply
    if (ready > 0) {
      this.#slots.splice(0, ready)
      this.#started -= ready
    }
    if (this.#ending && this.#slots.length === 0) this.end()
  }

  #failure(error: unknown): string {
    this.#door.counts.errors++
    if (error instanceof StoreError) return errorReply(error.code, error.message)
    // A defect of ours: one command fails, in the way that promises least, and the node goes on.
    this.#door.options.log.error(`a command failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return errorReply('INDETERMINATE', 'indefinite: an internal error, see the log of the node')
  }

  /** Stops reading from a peer that asks faster than it is answered, or does not read its answers; looks again a little later. */
  #relieve(): void {
    const overloaded = this.#slots.length >= COMMANDS_MAX || this.#stream.buffered + this.#output.length >= OUTPUT_BYTES_MAX
    if (this.#closed || this.#paused || !overloaded) return
    this.#paused = true
    this.#stream.pause()
    this.#door.options.clock.after(RELIEF_CHECK_MS, () => {
      this.#paused = false
      if (this.#closed) return
      this.#relieve()
      if (!this.#paused) this.#stream.resume()
    })
  }

  #gone(): void {
    this.#closed = true
    this.#door.hold(-this.#held)
    this.#held = 0
    for (const timer of [this.#patience, this.#halfReadTimer, this.#unreadTimer]) timer?.cancel()
    this.#slots = []
    this.#started = 0
    this.#output = ''
    this.#door.forget(this)
  }
}

/** Stands in for a command that was refused before it began. */
const REFUSED: Command = { words: [1, 1], keys: 'none', run: () => '' }
