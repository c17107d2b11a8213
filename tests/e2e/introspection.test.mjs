// Introspection (RFC 7662) with Keycloak 26.7.5: tokens that are good by themselves and were revoked since, by each way that
// Keycloak has, and both ways for Holdfast to show who asks. Keycloak answers only a client that is in the token's `aud`.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as dpop from 'dpop';
import * as jose from 'jose';
import { startBackend } from './support/backend.mjs';
import { startHoldfast } from './support/holdfast.mjs';
import { Administrator, missing, people, startKeycloak } from './support/keycloak.mjs';

const version = '26.7.5';
const cacheMs = 2000;
const secret = 'a secret: with +, / and =';

describe(`Introspection by Keycloak ${version}`, { skip: missing(version) }, () => {
  let keycloak;
  let administrator;
  let backend;
  let holdfast;

  before(async () => {
    [keycloak, backend] = await Promise.all([startKeycloak(version), startBackend()]);
    administrator = new Administrator(keycloak);
    await administrator.changeClient('orders-api', { clientAuthenticatorType: 'client-secret', secret });
    holdfast = await start({ client_secret_file: await fileWith('secret', secret) });
  }, { timeout: 240_000 });

  after(async () => {
    await holdfast?.stop();
    await backend?.stop();
    await keycloak?.stop();
  });

  async function fileWith(name, text) {
    const file = join(process.env.HOLDFAST_E2E_FOLDER, `introspection-${name}`);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }

  const start = (how) => startHoldfast({
    issuers: [{
      name: 'keycloak', url: keycloak.issuer, audiences: ['orders-api'],
      introspection: { mode: 'always', client_id: 'orders-api', cache: `${cacheMs}ms`, ...how },
    }],
    upstreams: [{ name: 'orders', servers: [backend.url] }],
    routes: [{ name: 'orders', match: { path: '/**' }, upstream: 'orders' }],
  });

  async function passwordGrant(keys, person) {
    const response = await fetch(keycloak.tokenEndpoint, {
      method: 'POST',
      headers: { dpop: await dpop.generateProof(keys, keycloak.tokenEndpoint, 'POST') },
      body: new URLSearchParams({ grant_type: 'password', client_id: 'orders-web', scope: 'openid', ...person }),
    });
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer;
  }

  async function call(keys, token, { to = holdfast, scheme = 'DPoP' } = {}) {
    const url = `${to.origin}/orders`;
    const headers = { authorization: `${scheme} ${token}`, dpop: await dpop.generateProof(keys, url, 'GET', undefined, token) };
    const response = await fetch(url, { headers });
    return { status: response.status, body: await response.json() };
  }

  /** Whatever is asked once the cache time has passed since the revocation is refused. */
  async function refusedWithinCacheTime(keys, token, to) {
    const revoked = Date.now();
    assert.ok(jose.decodeJwt(token).exp * 1000 > revoked + 60_000, 'by itself the token is good for another minute');
    for (;;) {
      const began = Date.now();
      const { status, body } = await call(keys, token, { to });
      if (status !== 200) {
        assert.deepEqual([status, body.reason], [401, 'token_inactive'], JSON.stringify(body));
        return;
      }
      assert.ok(began - revoked < cacheMs, `still taken ${began - revoked} ms after it was revoked`);
      await sleep(100);
    }
  }

  const post = async (path, parameters, keys) => {
    const url = `${keycloak.issuer}/protocol/openid-connect/${path}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { dpop: await dpop.generateProof(keys, url, 'POST') },
      body: new URLSearchParams({ client_id: 'orders-web', ...parameters }),
    });
    assert.ok(response.ok, `${path}: ${response.status} ${await response.text()}`);
  };

  it('an active token passes as what Keycloak says of it', async () => {
    const keys = await dpop.generateKeyPair('ES256');
    const { access_token: token } = await passwordGrant(keys, people.alice);
    const { status, body } = await call(keys, token);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.headers['x-auth-username'], 'alice');
    assert.equal(body.headers['x-auth-key-thumbprint'], jose.decodeJwt(token).cnf.jkt);
    assert.deepEqual(body.headers['x-auth-roles'].split(',').sort(), ['clerk', 'orders-api:approver']);
    const other = await call(await dpop.generateKeyPair('ES256'), token);
    assert.deepEqual([other.status, other.body.reason], [403, 'key_mismatch']);
  });

  it('a token is refused within the cache time once it, its session or its user was ended', async () => {
    for (const [how, end] of [
      ['revoked', ({ access_token: token }, keys) => post('revoke', { token, token_type_hint: 'access_token' }, keys)],
      // Keycloak's logout by a bound refresh token misses the proof that came with it, so by the ID token, as a browser would.
      ['logged out', ({ id_token }, keys) => post('logout', { id_token_hint: id_token }, keys)],
      ['by its refresh token', ({ refresh_token: token }, keys) => post('revoke', { token, token_type_hint: 'refresh_token' }, keys)],
      ['by the administrator', async ({ access_token: token }) => administrator.call('POST', `/users/${jose.decodeJwt(token).sub}/logout`)],
    ]) {
      const keys = await dpop.generateKeyPair('ES256');
      const grant = await passwordGrant(keys, people.alice);
      assert.equal((await call(keys, grant.access_token)).status, 200, how);
      await end(grant, keys);
      await refusedWithinCacheTime(keys, grant.access_token, holdfast);
    }
  });

  it('shows who asks with a signed assertion, too', async () => {
    const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await jose.exportJWK(publicKey)), kid: 'holdfast-1', use: 'sig', alg: 'ES256' };
    await administrator.changeClient('orders-api', {
      clientAuthenticatorType: 'client-jwt',
      attributes: { 'use.jwks.string': 'true', 'jwks.string': JSON.stringify({ keys: [jwk] }), 'token.endpoint.auth.signing.alg': 'ES256' },
    });
    const asserting = await start({ auth: 'private_key_jwt', key_file: await fileWith('key', await jose.exportPKCS8(privateKey)), kid: 'holdfast-1' });
    try {
      const keys = await dpop.generateKeyPair('ES256');
      const grant = await passwordGrant(keys, people.bob);
      const { status, body } = await call(keys, grant.access_token, { to: asserting });
      assert.equal(status, 200, JSON.stringify(body) + asserting.running.output);
      assert.equal(body.headers['x-auth-username'], 'bob');
      await post('logout', { id_token_hint: grant.id_token }, keys);
      await refusedWithinCacheTime(keys, grant.access_token, asserting);

      // The secret counts no more: who holds only that learns nothing, and lets nobody through.
      const later = (await passwordGrant(keys, people.bob)).access_token;
      const refused = await call(keys, later);
      assert.deepEqual([refused.status, refused.body.reason], [503, 'introspection_unavailable']);
      assert.equal((await call(keys, later, { to: asserting })).status, 200);
      assert.match(holdfast.running.output, /"introspection_failed"/);
      for (const hidden of [secret, Buffer.from(secret).toString('base64'), later]) {
        assert.ok(!holdfast.running.output.includes(hidden), 'a secret or token is in the log');
      }
    } finally {
      await asserting.stop();
    }
  });
});
