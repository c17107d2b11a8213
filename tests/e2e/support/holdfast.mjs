// The binary under test, with a configuration made for the test at hand.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answers, freePorts, start } from './process.mjs';

const folder = process.env.HOLDFAST_E2E_FOLDER;
let started = 0;

/**
 * Starts Holdfast with one TLS listener in front of `backend`. `configuration` is merged over the defaults; JSON is YAML, so
 * it is written as it is. `probe` is what must answer before the test goes on.
 */
export async function startHoldfast(configuration, { probe = '/readyz' } = {}) {
  const [port, probePort] = await freePorts(2);
  const file = join(folder, `holdfast-${process.pid}-${++started}.yaml`);
  const { listener = {}, ...rest } = configuration;
  await writeFile(file, JSON.stringify({
    listeners: [{ name: 'public', address: `127.0.0.1:${port}`, tls: { certificate: 'tls.crt', key: 'tls.key' }, ...listener }],
    probes: { address: `127.0.0.1:${probePort}` },
    shutdown: { delay: '0s', drain: '5s' },
    ...rest,
    // A proof made in the second in which the store is born would be refused by `fresh`, rightly, and fail a test now and then.
    dpop: { ...rest.dpop, replay: { cold_start: 'accept', ...rest.dpop?.replay } },
  }, null, 2));
  const running = start('holdfast', process.env.HOLDFAST_BIN, ['run', '-c', file]);
  await answers(running, `http://127.0.0.1:${probePort}${probe}`, 30);
  return {
    origin: `https://localhost:${port}`,
    port,
    probes: `http://127.0.0.1:${probePort}`,
    running,
    stop: () => running.stop(),
  };
}
