import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { netnsDriver } from '../cluster/drivers/netns/driver.ts'
import { packageRoot } from './version.ts'

const splitbrain = path.join(packageRoot(), 'harness', 'bin', 'splitbrain.mjs')
const words = ['run', '--preset', 'one', '--nodes', '2', '--nemesis', 'none', '--time', '1s', '--rate', '100']

const obstacle = (await netnsDriver().capabilities()).cut

/** The driver of a run that names none, and what it said. `within`: what starts it. */
async function runWithin(...within: readonly string[]): Promise<{ driver: string; output: string }> {
  const cwd = await mkdtemp(path.join(tmpdir(), 'splitbrain-default-'))
  try {
    const [file, ...args] = [...within, process.execPath, splitbrain, ...words] as [string, ...string[]]
    const { exitCode, stdout, stderr } = await execa(file, args, { cwd, reject: false, env: { PWD: cwd } })
    assert.is(exitCode, 0, `${stdout}${stderr}`)
    const plan = JSON.parse(await readFile(path.join(cwd, 'runs/latest/plan.json'), 'utf8')) as { driver: string }
    return { driver: plan.driver, output: stdout + stderr }
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

test('nodes run in network namespaces where nobody says otherwise', async () => {
  if (!obstacle.available) return console.log(`skip: ${obstacle.reason}`)
  const { driver, output } = await runWithin()
  assert.is(driver, 'netns')
  assert.not.match(output, 'link proxies')
})

test('where no namespaces are allowed they run as plain processes, and one line says why', async () => {
  if (!obstacle.available) return console.log(`skip: ${obstacle.reason}`)
  // The limit counts for the namespaces below the one that it is set in: the machine itself keeps its own.
  const { driver, output } = await runWithin('unshare', '--user', '--map-root-user', 'sh', '-c', 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', 'sh')
  assert.is(driver, 'process')
  assert.match(output, /The nodes run as plain processes behind link proxies: this machine does not let an ordinary user make namespaces \(.+\)\./)
  assert.is(output.match(/link proxies/g)?.length, 1)
})

test.run()
