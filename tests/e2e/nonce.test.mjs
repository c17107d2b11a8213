// A route that wants a nonce, and clients that know what to do: openid-client retries by itself, oauth4webapi as its
// documentation has it, panva's dpop by hand. One nonce serves many requests.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as dpop from 'dpop';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { startBackend } from './support/backend.mjs';
import { startHoldfast } from './support/holdfast.mjs';
import { startIssuer } from './support/issuer.mjs';

describe('a route that wants a nonce', () => {
  let issuer;
  let backend;
  let holdfast;
  let url;

  before(async () => {
    [issuer, backend] = await Promise.all([startIssuer(), startBackend()]);
    holdfast = await startHoldfast({
      issuers: [{ name: 'local', url: issuer.url, audiences: ['orders-api'] }],
      upstreams: [{ name: 'orders', servers: [backend.url] }],
      routes: [{ name: 'orders', match: { path: '/**' }, upstream: 'orders' }],
      dpop: { nonce: { mode: 'required' } },
    });
    url = new URL(`${holdfast.origin}/payments`);
  }, { timeout: 60_000 });

  after(async () => {
    await holdfast?.stop();
    await backend?.stop();
    await issuer?.stop();
  });

  it('openid-client, by itself', async () => {
    const configuration = await client.discovery(new URL(issuer.url), 'test', undefined, client.None(), { execute: [client.allowInsecureRequests] });
    const handle = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'));
    const token = await issuer.token(await handle.calculateThumbprint());
    for (let i = 0; i < 3; i++) {
      const answer = await client.fetchProtectedResource(configuration, token, url, 'GET', undefined, undefined, { DPoP: handle });
      assert.equal(answer.status, 200);
    }
  });

  it('oauth4webapi, one challenge for many requests at once', async () => {
    const handle = oauth.DPoP({ client_id: 'test' }, await oauth.generateKeyPair('Ed25519'));
    const token = await issuer.token(await handle.calculateThumbprint());
    const request = () => oauth.protectedResourceRequest(token, 'POST', url, undefined, JSON.stringify({ amount: 1 }), { DPoP: handle });
    await assert.rejects(request(), (error) => oauth.isDPoPNonceError(error));
    const answers = await Promise.all(Array.from({ length: 20 }, request));
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      assert.equal((await answer.json()).body, '{"amount":1}');
    }
  });

  it('dpop, by hand', async () => {
    const keys = await dpop.generateKeyPair('PS256');
    const token = await issuer.token(await dpop.calculateThumbprint(keys.publicKey));
    const request = async (nonce) => fetch(url, {
      headers: { authorization: `DPoP ${token}`, dpop: await dpop.generateProof(keys, url.href, 'GET', nonce, token) },
    });
    const challenge = await request();
    assert.equal(challenge.status, 401);
    assert.match(challenge.headers.get('www-authenticate'), /^DPoP .*error="use_dpop_nonce"/);
    await challenge.arrayBuffer();
    assert.equal((await request(challenge.headers.get('dpop-nonce'))).status, 200);
  });
});
