/** Programs of this machine that a system's nodes run. */
import { findExecutable } from '../drivers/docker/closure.ts'
import { ClusterError } from '../cluster.ts'

/** Where `program` lies. Throws ClusterError that names the Debian package which holds it. */
export function installed(program: string, debianPackage: string): string {
  const found = findExecutable(program)
  if (found === undefined) throw new ClusterError('not-installed', `There is no ${program} on this machine; install it (Debian: apt install ${debianPackage}) and run again.`)
  return found
}
