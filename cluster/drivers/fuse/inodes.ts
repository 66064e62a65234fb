/** Which file or folder the kernel means by a number, as a path. Numbers live as long as the kernel remembers them. */

interface Inode {
  readonly id: number
  parent: Inode | undefined
  name: string
  readonly children: Map<string, Inode>
  /** How often the kernel was told of it and has not said that it has forgotten. */
  lookups: number
}

/** The root, which the kernel knows without being told. */
const ROOT = 1
const ENOENT = -2

/** An error that the kernel passes on to the program; negative. */
export class ErrorNumber extends Error {
  readonly errno: number
  constructor(errno: number) {
    super(`error ${errno}`)
    this.errno = errno
  }
}

/** The tree of what the kernel knows. */
export class Inodes {
  readonly #all = new Map<number, Inode>()
  #last = ROOT

  constructor() {
    this.#all.set(ROOT, { id: ROOT, parent: undefined, name: '.', children: new Map(), lookups: 1 })
  }

  /** Relative to the folder that is mounted. Throws ErrorNumber for what has been removed. */
  path(id: number): string {
    const inode = this.#inode(id)
    if (inode.id === ROOT) return '.'
    if (inode.parent === undefined) throw new ErrorNumber(ENOENT)
    return `${this.path(inode.parent.id)}/${inode.name}`
  }

  child(parent: number, name: string): string {
    return `${this.path(parent)}/${name}`
  }

  /** The number of what bears this name; the kernel is told of it. */
  tell(parent: number, name: string): number {
    const folder = this.#inode(parent)
    const known = folder.children.get(name) ?? { id: ++this.#last, parent: folder, name, children: new Map<string, Inode>(), lookups: 0 }
    known.lookups++
    folder.children.set(name, known)
    this.#all.set(known.id, known)
    return known.id
  }

  forget(id: number, lookups: number): void {
    const inode = this.#all.get(id)
    if (inode === undefined || id === ROOT) return
    inode.lookups -= lookups
    if (inode.lookups > 0) return
    this.removed(inode.parent?.id ?? 0, inode.name, inode)
    this.#all.delete(id)
  }

  /** What bore this name is there no more under it. */
  removed(parent: number, name: string, only?: unknown): void {
    const folder = this.#all.get(parent)
    const inode = folder?.children.get(name)
    if (folder === undefined || inode === undefined || (only !== undefined && inode !== only)) return
    folder.children.delete(name)
    inode.parent = undefined
  }

  renamed(parent: number, name: string, newParent: number, newName: string): void {
    this.removed(newParent, newName)
    const [from, to] = [this.#inode(parent), this.#inode(newParent)]
    const inode = from.children.get(name)
    if (inode === undefined) return
    from.children.delete(name)
    inode.parent = to
    inode.name = newName
    to.children.set(newName, inode)
  }

  #inode(id: number): Inode {
    const inode = this.#all.get(id)
    if (inode === undefined) throw new ErrorNumber(ENOENT)
    return inode
  }
}
