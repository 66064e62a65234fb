/**
 * Engines that are not as one would wish, as far as possible real ones: each is one sentence which says what to do, the
 * exit code of bad usage or of a failed harness, and nothing left behind. And two engines that carry one cluster.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { suite, test } from 'uvu'
import * as assert from 'uvu/assert'
import { freePorts } from '../real/ports.ts'
import { connectEngines } from './engine.ts'
import { explaining } from './errors.ts'
import { ensureImages } from './image.ts'
import { labels } from './labels.ts'
import { HERE, whyNoEngines, withEngine } from './testing/own-engine.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const bin = join(root, 'harness/bin/splitbrain.mjs')

interface Ended {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** A command as a user types it, in an empty folder. `before`: a program that starts it as another user. */
async function splitbrain(words: readonly string[], before: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const cwd = await mkdtemp(join(tmpdir(), 'splitbrain-engines-'))
  try {
    const [file, ...args] = [...before, process.execPath, bin, ...words] as [string, ...string[]]
    const { exitCode, stdout, stderr } = await execa(file, args, { cwd: before.length > 0 ? '/' : cwd, reject: false, env: { SPLITBRAIN_PREPARED: root, HOME: cwd, ...env } })
    return { exitCode, stdout, stderr }
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

const shortRun = ['run', '--driver', 'docker', '--preset', 'abd', '--nodes', '3', '--time', '4s', '--rate', '100', '--seed', '3']

/** Asserts that a run on an engine is refused before it leaves a trace, in one sentence. */
async function refused(words: readonly string[], says: RegExp, before?: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await splitbrain([...shortRun, ...words], before)
  assert.is(exitCode, 254, stderr)
  assert.is(stdout, '')
  assert.is(stderr.split('\n').length, 1, `one sentence: ${stderr}`)
  assert.match(stderr, says)
}

/** Everything of ours on an engine, but images. */
async function thingsOn(host: string): Promise<string[]> {
  const [engine] = await connectEngines([host])
  const filters = { label: [labels.run] }
  const [containers, networks, volumes] = await Promise.all([engine!.docker.listContainers({ all: true, filters }), engine!.docker.listNetworks({ filters }), engine!.docker.listVolumes({ filters })])
  engine!.close()
  return [...containers.map(({ Names }) => Names.join()), ...networks.map(({ Name }) => Name), ...volumes.Volumes.map(({ Name }) => Name)]
}

test('no engine: the sentence says how to get one, or how to do without', () =>
  refused(['--docker-host', 'unix:///nowhere/docker.sock'], /^Connecting to the container engine at unix:\/\/\/nowhere\/docker\.sock: no container engine answers there\. Start Docker .*--driver process/))

test('an engine that is no address at all', () => refused(['--docker-host', 'gopher://x'], /^gopher:\/\/x is not an engine's address\. Write unix:/))

test('an engine too old to speak with (played by a server that says so: none of that age runs here)', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-old-'))
  const old = createServer((_, response) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ Version: '17.05.0-ce', ApiVersion: '1.29', Arch: 'amd64' })))
  await new Promise<void>((listening) => void old.listen(join(dir, 'docker.sock'), listening))
  try {
    await refused(['--docker-host', `unix://${dir}/docker.sock`], /is too old \(17\.05\.0-ce, API 1\.29\); Docker 19\.03 .* is the oldest that works\. Update it/)
  } finally {
    await new Promise((closed) => void old.close(closed))
    await rm(dir, { recursive: true })
  }
})

const obstacle = await whyNoEngines()
const engines = suite('engines of our own')
test('engines can be started here', () => {
  if (obstacle !== undefined) console.log(`skip: ${obstacle}`)
})

// The checkout may lie in a folder that only its owner may enter: this user may read everything, and use nothing.
const stranger = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--securebits=+no_setuid_fixup', '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']

engines('a user without the right to use the engine is told how to get it', () =>
  refused(['--docker-host', HERE], /this user may not use the engine's socket\. Join its group/, stranger))

engines('a port that is taken, on a real engine', async () => {
  const [engine] = await connectEngines([HERE])
  const { docker } = engine!
  const silent = (): void => undefined
  const { base } = await ensureImages(engine!, [], { baseImage: undefined, log: { info: silent, warn: silent, error: silent } })
  const name = `splitbrain-test-port-${process.pid}`
  const taker = createServer()
  await new Promise<void>((listening) => void taker.listen(0, '127.0.0.1', listening))
  const { port } = taker.address() as { port: number }
  const container = await docker.createContainer({ name, Image: base, Entrypoint: ['sleep', '1'], ExposedPorts: { '1/tcp': {} }, HostConfig: { PortBindings: { '1/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] } } })
  try {
    await explaining('Starting it', () => container.start())
    assert.unreachable('it started')
  } catch (error) {
    assert.match((error as Error).message, /^Starting it: a port is taken \(.*\)\. Stop the program that holds it and run again\.$/)
  } finally {
    await container.remove({ force: true })
    await new Promise((closed) => void taker.close(closed))
    engine!.close()
  }
})

/** The first list that is not empty; asked for a minute. */
async function firstOf(list: () => Promise<string[]>): Promise<string[]> {
  for (let look = 0; look < 300; look++) {
    const found = await list()
    if (found.length > 0) return found
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return []
}

engines('one cluster on two engines: its nodes are dealt out, a partition between them bites and heals; then the second is full', () =>
  withEngine([], async (second, storage) => {
    const hosts = ['--docker-host', HERE, '--docker-host', second]
    const running = splitbrain([...shortRun, ...hosts, '--nemesis', 'partition(one)', '--name', `two-engines-${process.pid}`])
    const nodesOn = async (host: string): Promise<string[]> => (await thingsOn(host)).filter((name) => name.includes(`twoengines${process.pid}`) && /-n\d$/.test(name) && name.startsWith('/'))
    const seen = await Promise.race([running.then((): string[] => []), firstOf(() => nodesOn(second))])
    const { exitCode, stdout, stderr } = await running
    assert.is(exitCode, 0, `${stdout}${stderr}`)
    assert.equal(seen.map((name) => name.slice(-2)), ['n2'], 'of three nodes the second is on the second engine')
    assert.match(`${stdout}${stderr}`, /no message passed any of 4 cut links/)
    assert.equal((await thingsOn(second)), [])

    const doctor = await splitbrain(['doctor', '--docker-host', second])
    assert.match(doctor.stdout, /Docker +yes +docker .* at tcp:/)
    if (!/\bdocker:[^]*netem queue per link/.test(doctor.stdout)) assert.match(doctor.stdout, /no +the kernel that runs the containers has no netem, and the nodes cannot reach a proxy/)

    await execa('sh', ['-c', `dd if=/dev/zero of=${storage}/filler bs=1M; true`])
    await execa({ env: { DOCKER_HOST: second }, reject: false })`docker system prune --all --force`
    await execa('sh', ['-c', `dd if=/dev/zero of=${storage}/filler2 bs=1M; true`])
    const full = await splitbrain([...shortRun, '--docker-host', second])
    assert.ok(full.exitCode === 254 || full.exitCode === 255, `${full.exitCode}`)
    assert.match(full.stderr + full.stdout, /the engine's disk is full\. See what takes it with `docker system df`, make room/)
    assert.equal(await thingsOn(second), [])
  }))

engines('an engine that is reached by ssh', async () => {
  const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path))
  if (sshd === undefined) return console.log('skip: there is no sshd on this machine')
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-sshd-'))
  const port = String((await freePorts(1))[0])
  // Keys, known hosts and a server of this test's own; `ssh` finds them through a wrapper, as it would in a user's folder.
  for (const key of ['user', 'host']) await execa`ssh-keygen -q -t ed25519 -N ${''} -f ${join(dir, key)}`
  const hostKey = (await readFile(join(dir, 'host.pub'), 'utf8')).split(' ').slice(0, 2).join(' ')
  await writeFile(join(dir, 'known'), `[127.0.0.1]:${port} ${hostKey}\n`)
  await writeFile(join(dir, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F none -i ${dir}/user -o UserKnownHostsFile=${dir}/known "$@"\n`, { mode: 0o755 })
  await mkdir('/run/sshd', { recursive: true })
  const options = [`Port=${port}`, 'ListenAddress=127.0.0.1', `HostKey=${dir}/host`, `AuthorizedKeysFile=${dir}/user.pub`, 'StrictModes=no', 'PermitRootLogin=yes', 'PidFile=none']
  const server = execa(sshd, ['-D', '-f', '/dev/null', ...options.flatMap((option) => ['-o', option])], { reject: false })
  try {
    const words = ['run', '--driver', 'docker', '--preset', 'abd', '--nodes', '1', '--nemesis', 'none', '--time', '2s', '--rate', '50', '--docker-host', `ssh://root@127.0.0.1:${port}`]
    const { exitCode, stdout, stderr } = await splitbrain(words, [], { PATH: `${dir}:${process.env['PATH']}` })
    assert.is(exitCode, 0, `${stdout}${stderr}`)
  } finally {
    server.kill()
    await server
    await rm(dir, { recursive: true })
  }
})

engines('containers that may not set packet filters: faults of links are refused, with the reason', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'splitbrain-seccomp-'))
  // A hardened engine: its containers get neither netlink nor raw sockets, without which NET_ADMIN is worth nothing.
  const denied = { names: ['socket'], action: 'SCMP_ACT_ERRNO' }
  const syscalls = [{ ...denied, args: [{ index: 0, value: 16, op: 'SCMP_CMP_EQ' }] }, { ...denied, args: [{ index: 1, value: 15, valueTwo: 3, op: 'SCMP_CMP_MASKED_EQ' }] }]
  await writeFile(join(dir, 'profile.json'), JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }))
  try {
    await withEngine(['--seccomp-profile', join(dir, 'profile.json')], async (hardened) => {
      await refused(['--docker-host', hardened, '--nemesis', 'partition'], /cut is not available \(containers on this engine may not set packet filters although they ask for NET_ADMIN \(.+\); allow that, name another engine/)
      assert.equal(await thingsOn(hardened), [])
    })
  } finally {
    await rm(dir, { recursive: true })
  }
})

test.run()
if (obstacle === undefined) engines.run()
