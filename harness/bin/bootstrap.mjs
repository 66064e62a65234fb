#!/usr/bin/env node
/**
 * Runs a compiled module of this repository, from whatever state the checkout is in:
 *
 *     node harness/bin/bootstrap.mjs harness/testing/runner.js --fast
 *
 * installs the libraries and compiles if need be, then calls the module's `main(argv)` in this process and exits
 * with what it resolves to. Every script in package.json goes through here, so each works alone on a fresh clone.
 */
import { requireNode } from './node-version.mjs'

requireNode()
void import('./launch.mjs').then(({ launch }) => launch(process.argv[2], process.argv.slice(3)))
