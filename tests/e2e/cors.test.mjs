// A page in real headless Chromium calls an API of another origin through Holdfast, with panva's dpop and a key that cannot
// leave WebCrypto, over HTTP/2 and HTTP/1.1. What the browser lets the page read is the test: nonces, refusals, headers; and
// that a page of a foreign origin reads nothing.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startBackend } from './support/backend.mjs';
import { startHoldfast } from './support/holdfast.mjs';
import { startIssuer } from './support/issuer.mjs';

/** An empty page and the client library, at whatever name the server is called by. */
async function startPages() {
  const library = await readFile(fileURLToPath(import.meta.resolve('dpop')), 'utf8');
  const server = createServer((request, response) => {
    const [type, body] = request.url === '/dpop.js' ? ['text/javascript', library] : ['text/html', '<!doctype html><title>page</title>'];
    response.writeHead(200, { 'content-type': type });
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: server.address().port, stop: () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  } };
}

describe('a page in Chromium', () => {
  let issuer;
  let backend;
  let pages;
  let browser;
  let app;

  before(async () => {
    [issuer, backend, pages] = await Promise.all([startIssuer(), startBackend(), startPages()]);
    app = `http://localhost:${pages.port}`;
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      // The certificate is the tests' own. Root, as in a container, has no sandbox.
      args: ['--ignore-certificate-errors', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
    });
  }, { timeout: 120_000 });

  after(async () => {
    await browser?.close();
    await pages?.stop();
    await backend?.stop();
    await issuer?.stop();
  });

  async function pageAt(origin) {
    const page = await browser.newPage();
    await page.goto(origin);
    await page.evaluate(async () => {
      const dpop = await import('/dpop.js');
      const keys = await dpop.generateKeyPair('ES256');
      globalThis.jkt = await dpop.calculateThumbprint(keys.publicKey);
      globalThis.proof = (url, method, nonce, token) => dpop.generateProof(keys, url, method, nonce, token);
      /** fetch, as far as the browser lets the page see what came of it. */
      globalThis.seen = async (url, init) => {
        try {
          const response = await fetch(url, init);
          const text = await response.text();
          return { status: response.status, headers: Object.fromEntries(response.headers), body: text && JSON.parse(text) };
        } catch (error) {
          return { error: error.name };
        }
      };
    });
    return page;
  }

  const signed = (page, url, token, { method = 'GET', nonce, headers = {}, body } = {}) =>
    page.evaluate(async ([url, token, method, nonce, headers, body]) => seen(url, {
      method, body,
      headers: { authorization: `DPoP ${token}`, dpop: await proof(url, method, nonce, token), ...headers },
    }), [url, token, method, nonce, headers, body]);

  for (const protocols of [['h2', 'http/1.1'], ['http/1.1']]) {
    describe(`over ${protocols[0]}`, () => {
      let holdfast;
      let page;
      let token;

      before(async () => {
        holdfast = await startHoldfast({
          listener: { protocols },
          issuers: [{ name: 'local', url: issuer.url, audiences: ['orders-api'] }],
          upstreams: [{ name: 'orders', servers: [backend.url] }],
          routes: [
            { name: 'payments', match: { path: '/payments' }, nonce: 'required', upstream: 'orders' },
            { name: 'clerks', match: { path: '/admins' }, require: { roles: { any: ['admin'] } }, upstream: 'orders' },
            { name: 'closed', match: { path: '/off' }, cors: 'off', access: 'public', upstream: 'orders' },
            { name: 'orders', match: { path: '/orders/**', methods: ['GET', 'PUT'] }, upstream: 'orders' },
          ],
          cors: { origins: [app] },
        });
        page = await pageAt(app);
        token = await issuer.token(await page.evaluate(() => globalThis.jkt));
      }, { timeout: 60_000 });

      after(async () => {
        await page?.close();
        await holdfast?.stop();
      });

      it('reads the nonce that it is challenged with, and is let in with it', async () => {
        const url = `${holdfast.origin}/payments`;
        const challenge = await signed(page, url, token);
        assert.equal(challenge.status, 401, JSON.stringify(challenge));
        assert.equal(challenge.body.reason, 'nonce_required');
        assert.match(challenge.headers['www-authenticate'], /error="use_dpop_nonce"/);
        const nonce = challenge.headers['dpop-nonce'];
        assert.ok(nonce);
        assert.ok(challenge.headers.date, 'a client with a wrong clock can see it');
        const answer = await signed(page, url, token, { nonce });
        assert.equal(answer.status, 200, JSON.stringify(answer));
        assert.equal(answer.body.headers['x-auth-subject'], 'alice');
        assert.equal(answer.body.headers.origin, app);
      });

      it('may send what it asked for: methods, headers and bodies', async () => {
        const answer = await signed(page, `${holdfast.origin}/orders/7`, token,
          { method: 'PUT', headers: { 'content-type': 'application/json', 'x-trace': '1' }, body: '{"n":1}' });
        assert.equal(answer.status, 200, JSON.stringify(answer));
        assert.deepEqual([answer.body.method, answer.body.body, answer.body.headers['x-trace']], ['PUT', '{"n":1}', '1']);
      });

      it('reads every refusal', async () => {
        const none = await page.evaluate((url) => seen(url), `${holdfast.origin}/orders/7`);
        assert.deepEqual([none.status, none.body.reason], [401, 'no_credentials']);
        assert.match(none.headers['www-authenticate'], /^DPoP algs=/);
        const role = await signed(page, `${holdfast.origin}/admins`, token);
        assert.deepEqual([role.status, role.body.reason], [403, 'role_missing']);
        const nowhere = await page.evaluate((url) => seen(url), `${holdfast.origin}/nowhere`);
        assert.deepEqual([nowhere.status, nowhere.body.reason], [404, 'no_route']);
        const stolen = await issuer.token('a'.repeat(43));
        const mismatch = await signed(page, `${holdfast.origin}/orders/7`, stolen);
        assert.deepEqual([mismatch.status, mismatch.body.reason], [403, 'key_mismatch']);
      });

      it('is stopped where no route takes its method, where CORS is off, and with cookies', async () => {
        const stopped = { error: 'TypeError' };
        assert.deepEqual(await signed(page, `${holdfast.origin}/orders/7`, token, { method: 'DELETE' }), stopped);
        assert.deepEqual(await page.evaluate((url) => seen(url), `${holdfast.origin}/off`), stopped);
        assert.deepEqual(await page.evaluate((url) => seen(url, { credentials: 'include' }), `${holdfast.origin}/orders/7`), stopped);
      });

      it('of a foreign origin is stopped before its request, and reads no answer', async () => {
        const foreign = await pageAt(`http://127.0.0.1:${pages.port}`);
        const before = backend.requests();
        const stolen = await issuer.token(await foreign.evaluate(() => globalThis.jkt));
        assert.deepEqual(await signed(foreign, `${holdfast.origin}/orders/7`, stolen), { error: 'TypeError' });
        assert.deepEqual(await foreign.evaluate((url) => seen(url), `${holdfast.origin}/orders/7`), { error: 'TypeError' });
        assert.equal(backend.requests(), before);
        // What is for everybody stays so.
        const metadata = await foreign.evaluate((url) => seen(url, { headers: { 'x-client': '1' } }), `${holdfast.origin}/.well-known/oauth-protected-resource`);
        assert.deepEqual(metadata.body.authorization_servers, [issuer.url]);
        await foreign.close();
      });
    });
  }
});
