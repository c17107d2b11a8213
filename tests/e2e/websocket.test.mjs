// WebSocket through Holdfast as a client and a server see it that others wrote (ws), over TLS and HTTP/1.1: messages of every
// kind, every close code both ways, and the end with the token. Server-sent events beside it, through Node's own fetch, and a
// server that prefers HTTP/2.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as dpop from 'dpop';
import { WebSocket, WebSocketServer } from 'ws';
import { startHoldfast } from './support/holdfast.mjs';
import { startIssuer } from './support/issuer.mjs';

const MiB = 1024 * 1024;
const maxPayload = 128 * MiB;
const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

describe('WebSocket', () => {
  let issuer;
  let server;
  let secure;
  let backend;
  let holdfast;
  let keys;
  let jkt;
  let events;

  before(async () => {
    issuer = await startIssuer();
    server = createServer((request, response) => {
      events = { request, response };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: first\n\n');
    }).listen(0, '127.0.0.1');
    // Every message comes back, but for those that name a close code: that one comes back.
    backend = new WebSocketServer({ server, maxPayload, perMessageDeflate: { threshold: 0 } });
    backend.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        const order = isBinary ? undefined : /^(?:close (\d+)|(terminate))$/.exec(data.toString());
        if (order?.[2]) socket.terminate();
        else if (order) socket.close(Number(order[1]), 'because');
        else socket.send(data, { binary: isBinary });
      });
      socket.on('error', () => {});
    });
    await once(server, 'listening');
    const file = (name) => readFile(join(process.env.HOLDFAST_E2E_FOLDER, name));
    secure = createSecureServer({ cert: await file('tls.crt'), key: await file('tls.key'), allowHTTP1: true },
      (request, response) => response.end(request.httpVersion)).listen(0, '127.0.0.1');
    new WebSocketServer({ server: secure }).on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    await once(secure, 'listening');
    keys = await dpop.generateKeyPair('ES256');
    jkt = await dpop.calculateThumbprint(keys.publicKey);
    holdfast = await startHoldfast({
      issuers: [{ name: 'local', url: issuer.url, audiences: ['orders-api'], clock_skew: '0s' }],
      upstreams: [
        { name: 'live', servers: [`http://127.0.0.1:${server.address().port}`] },
        { name: 'secure', servers: [`https://localhost:${secure.address().port}`], tls: { ca: 'tls.crt' } },
      ],
      routes: [
        { name: 'live', match: { path: '/live/**' }, upstream: 'live', close_at_expiry: true },
        { name: 'secure', match: { path: '/secure/**' }, upstream: 'secure' },
      ],
    });
  }, { timeout: 60_000 });

  after(async () => {
    await holdfast?.stop();
    backend?.close();
    server?.closeAllConnections();
    server?.close();
    secure?.close();
    await issuer?.stop();
  });

  async function credentials(path, token, scheme = 'https') {
    token ??= await issuer.token(jkt);
    const url = `${scheme}://localhost:${holdfast.port}${path}`;
    return { authorization: `DPoP ${token}`, dpop: await dpop.generateProof(keys, url, 'GET', undefined, token) };
  }

  /** An open socket, and the server's end of it. */
  async function open({ compressed = false, token, path = '/live/one' } = {}) {
    const accepted = once(backend, 'connection');
    const socket = new WebSocket(`wss://localhost:${holdfast.port}${path}`, {
      headers: await credentials(path, token, 'wss'),
      perMessageDeflate: compressed ? { threshold: 0 } : false,
      maxPayload,
    });
    await once(socket, 'open');
    assert.equal(socket.extensions, compressed ? 'permessage-deflate' : '');
    return [socket, (await accepted)[0]];
  }

  async function returned(socket) {
    const [data, isBinary] = await once(socket, 'message');
    return { data, isBinary };
  }

  for (const compressed of [false, true]) {
    describe(compressed ? 'with permessage-deflate' : 'without compression', () => {
      it('text, binary, empty and fragmented messages', async () => {
        const [socket] = await open({ compressed });
        for (const message of ['', 'hellö', randomBytes(1), randomBytes(125), randomBytes(126), randomBytes(65_535), randomBytes(65_536), Buffer.alloc(0), 'x'.repeat(MiB)]) {
          socket.send(message);
          const { data, isBinary } = await returned(socket);
          assert.equal(isBinary, typeof message !== 'string');
          assert.ok(data.equals(Buffer.from(message)), `${message.length} bytes`);
        }
        const parts = [randomBytes(10), Buffer.alloc(0), randomBytes(70_000), randomBytes(3)];
        parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 }));
        assert.ok((await returned(socket)).data.equals(Buffer.concat(parts)));
        socket.terminate();
      });

      it('64 MiB in one message, in bounded memory', async () => {
        const [socket] = await open({ compressed });
        // Half noise, half what compresses well.
        const message = Buffer.concat([randomBytes(32 * MiB), Buffer.alloc(32 * MiB, 'abc')]);
        socket.send(message);
        const { data } = await returned(socket);
        assert.equal(data.length, message.length);
        assert.equal(hash(data), hash(message));
        const status = await readFile(`/proc/${holdfast.running.child.pid}/status`, 'utf8');
        const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)[1]) / 1024;
        assert.ok(peak < 64, `Holdfast held up to ${peak.toFixed(0)} MiB`);
        socket.terminate();
      });
    });
  }

  it('ping and pong, both ways', async () => {
    const [socket, peer] = await open();
    for (const [from, to] of [[socket, peer], [peer, socket]]) {
      const [ping, pong] = [once(to, 'ping'), once(from, 'pong')];
      from.ping('are you there?');
      assert.equal((await ping)[0].toString(), 'are you there?');
      assert.equal((await pong)[0].toString(), 'are you there?');
    }
    socket.terminate();
  });

  // 1004 to 1006 are not for the wire; tests/integration sends 1004 all the same.
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
    it(`closes with ${code}`, async () => {
      const [first, firstPeer] = await open();
      const [seen, echoed] = [once(firstPeer, 'close'), once(first, 'close')];
      first.close(code, 'because');
      for (const [got, reason] of [await seen, await echoed]) assert.deepEqual([got, reason.toString()], [code, 'because']);

      const [second] = await open();
      const closed = once(second, 'close');
      second.send(`close ${code}`);
      const [got, reason] = await closed;
      assert.deepEqual([got, reason.toString()], [code, 'because']);
    });
  }

  it('closes without a code', async () => {
    const [socket, peer] = await open();
    const [seen, echoed] = [once(peer, 'close'), once(socket, 'close')];
    socket.close();
    assert.equal((await seen)[0], 1005);
    assert.equal((await echoed)[0], 1005);
  });

  it('ends without a Close where the other end does', async () => {
    const [first, peer] = await open();
    const seen = once(peer, 'close');
    first.terminate();
    assert.equal((await seen)[0], 1006);
    const [second] = await open();
    const closed = once(second, 'close');
    second.send('terminate');
    assert.equal((await closed)[0], 1006);
  });

  it('reaches a server that prefers HTTP/2, which other requests use', async () => {
    const path = '/secure/one';
    const version = async () => (await fetch(`${holdfast.origin}${path}`, { headers: await credentials(path) })).text();
    const socket = async () => {
      const opened = new WebSocket(`wss://localhost:${holdfast.port}${path}`, { headers: await credentials(path) });
      await once(opened, 'open');
      opened.send('over HTTP/1.1');
      assert.equal((await returned(opened)).data.toString(), 'over HTTP/1.1');
      const closed = once(opened, 'close');
      opened.close(1000);
      assert.equal((await closed)[0], 1000);
    };
    await socket();
    assert.equal(await version(), '2.0');
    await socket();
    assert.equal(await version(), '2.0');
  });

  const shortLived = () => {
    const exp = Math.floor(Date.now() / 1000) + 4;
    return issuer.token(jkt, { claims: { exp } }).then((token) => ({ token, exp }));
  };

  it('closes with 1008 when the token expires, in the middle of a message', async () => {
    const { token, exp } = await shortLived();
    const [socket, peer] = await open({ token });
    const [seen, closed] = [once(peer, 'close'), once(socket, 'close')];
    socket.send('the first of', { fin: false });
    peer.send('some fragments', { fin: false });
    for (const [code, reason] of [await closed, await seen]) assert.deepEqual([code, reason.toString()], [1008, 'token_expired']);
    assert.ok(Date.now() >= exp * 1000);
  });

  it('server-sent events come at once, and end when the token expires', async () => {
    const { token, exp } = await shortLived();
    const path = '/live/events';
    const answer = await fetch(`${holdfast.origin}${path}`, { headers: await credentials(path, token) });
    assert.equal(answer.status, 200);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const gone = once(events.response, 'close');
    assert.equal((await reader.read()).value, 'data: first\n\n');
    events.response.write('data: second\n\n');
    assert.equal((await reader.read()).value, 'data: second\n\n');
    await assert.rejects(reader.read(), 'a cut answer must not look whole');
    assert.ok(Date.now() >= exp * 1000);
    await gone;
  });
});
