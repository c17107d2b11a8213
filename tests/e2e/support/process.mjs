// Child processes of the tests: started, awaited, stopped, and their output kept for the message when something fails.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** N ports of 127.0.0.1 that nothing listens on now. */
export async function freePorts(count) {
  const servers = [];
  for (let i = 0; i < count; i++) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
  }
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

/** Starts a command. `output` grows with what it writes; `stop` ends it with SIGTERM and, if need be, SIGKILL. */
export function start(name, command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const running = { name, child, output: '', exited: false };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (running.output += text));
  }
  child.on('error', (error) => (running.output += `${error}\n`));
  const exit = new Promise((resolve) => child.on('close', (code, signal) => {
    running.exited = true;
    resolve({ code, signal });
  }));
  // A test run that dies must not leave its servers behind.
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  running.stop = async (seconds = 30) => {
    child.kill('SIGTERM');
    const timer = setTimeout(kill, seconds * 1000);
    const result = await exit;
    clearTimeout(timer);
    process.off('exit', kill);
    return result;
  };
  return running;
}

/** Waits until a GET answers 200. */
export async function answers(running, url, seconds) {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline && !running.exited) {
    const ok = await fetch(url, { signal: AbortSignal.timeout(2000) }).then((response) => response.ok, () => false);
    if (ok) return;
    await sleep(100);
  }
  const message = `${running.name} ${running.exited ? 'ended' : 'did not answer'} at ${url}\n${running.output.slice(-4000)}`;
  await running.stop(5);
  throw new Error(message);
}
