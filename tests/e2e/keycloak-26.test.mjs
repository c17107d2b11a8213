// Keycloak 26.7.5: every grant binds. Tokens by password (panva's dpop), client credentials (oauth4webapi) and the code grant
// with PKCE through the login form (openid-client), logins that are too weak or too old, and keys that rotate while requests run.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as dpop from 'dpop';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { startBackend } from './support/backend.mjs';
import { startHoldfast } from './support/holdfast.mjs';
import { Administrator, codeGrant, discover, missing, people, startKeycloak } from './support/keycloak.mjs';

const version = '26.7.5';

describe(`Keycloak ${version}`, { skip: missing(version) }, () => {
  let keycloak;
  let backend;
  let holdfast;

  before(async () => {
    [keycloak, backend] = await Promise.all([startKeycloak(version), startBackend()]);
    holdfast = await startHoldfast({
      issuers: [{ name: 'keycloak', url: keycloak.issuer, audiences: ['orders-api'], jwks: { refresh: '2s' } }],
      upstreams: [{ name: 'orders', servers: [backend.url] }],
      routes: [
        { name: 'payments', match: { path: '/payments' }, nonce: 'required', upstream: 'orders' },
        { name: 'clerks', match: { path: '/clerks' }, require: { roles: { any: ['clerk'] } }, upstream: 'orders' },
        { name: 'approvals', match: { path: '/approvals' }, require: { roles: { all: ['clerk', 'orders-api:approver'] } }, upstream: 'orders' },
        { name: 'write', match: { path: '/orders', methods: ['POST'] }, require: { scopes: ['orders:write'] }, upstream: 'orders' },
        { name: 'orders', match: { path: '/**' }, upstream: 'orders' },
      ],
    });
  }, { timeout: 240_000 });

  after(async () => {
    await holdfast?.stop();
    await backend?.stop();
    await keycloak?.stop();
  });

  /** A token by the password grant, bound to `keys`. */
  async function passwordGrant(keys, person, { clientId = 'orders-web', scope = 'openid', proof = true } = {}) {
    const response = await fetch(keycloak.tokenEndpoint, {
      method: 'POST',
      headers: proof ? { dpop: await dpop.generateProof(keys, keycloak.tokenEndpoint, 'POST') } : {},
      body: new URLSearchParams({ grant_type: 'password', client_id: clientId, scope, ...person }),
    });
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer;
  }

  /** One request with a fresh proof. */
  async function call(keys, token, path, { method = 'GET', scheme = 'DPoP', nonce } = {}) {
    const url = `${holdfast.origin}${path}`;
    return fetch(url, {
      method,
      headers: { authorization: `${scheme} ${token}`, dpop: await dpop.generateProof(keys, url, method, nonce, token) },
    });
  }

  async function refused(response, status, reason) {
    const body = await response.json();
    assert.deepEqual([response.status, body.reason], [status, reason], JSON.stringify(body));
  }

  it('password grant, with each algorithm that the client library knows', async () => {
    for (const algorithm of ['ES256', 'RS256', 'PS256', 'Ed25519']) {
      const keys = await dpop.generateKeyPair(algorithm);
      // Keycloak knows Ed25519 as EdDSA only, so the token of that round is bound by its other name.
      const response = await fetch(keycloak.tokenEndpoint, {
        method: 'POST',
        headers: { dpop: algorithm === 'Ed25519' ? await edDsaProof(keys) : await dpop.generateProof(keys, keycloak.tokenEndpoint, 'POST') },
        body: new URLSearchParams({ grant_type: 'password', client_id: 'orders-web', scope: 'openid', ...people.alice }),
      });
      const answer = await response.json();
      assert.equal(answer.token_type, 'DPoP', `${algorithm}: ${JSON.stringify(answer)}`);
      const allowed = await call(keys, answer.access_token, '/orders');
      assert.equal(allowed.status, 200, `${algorithm}: ${await allowed.clone().text()}`);
    }
  });

  async function edDsaProof(keys) {
    return new jose.SignJWT({ htm: 'POST', htu: keycloak.tokenEndpoint, jti: crypto.randomUUID() })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'EdDSA', jwk: await jose.exportJWK(keys.publicKey) })
      .setIssuedAt().sign(keys.privateKey);
  }

  it('tells the backend who calls, and takes the credentials away', async () => {
    const keys = await dpop.generateKeyPair('ES256');
    const { access_token: token } = await passwordGrant(keys, people.alice);
    const claims = jose.decodeJwt(token);
    const seen = (await (await call(keys, token, '/orders?page=2')).json());
    assert.equal(seen.target, '/orders?page=2');
    assert.equal(seen.headers['x-auth-subject'], claims.sub);
    assert.equal(seen.headers['x-auth-client-id'], 'orders-web');
    assert.equal(seen.headers['x-auth-username'], 'alice');
    assert.equal(seen.headers['x-auth-email'], 'alice@example.com');
    assert.equal(seen.headers['x-auth-issuer'], keycloak.issuer);
    assert.equal(seen.headers['x-auth-key-thumbprint'], claims.cnf.jkt);
    assert.deepEqual(seen.headers['x-auth-roles'].split(',').sort(), ['clerk', 'orders-api:approver']);
    assert.deepEqual(seen.headers['x-auth-scope'].split(' ').sort(), claims.scope.split(' ').sort());
    assert.equal(seen.headers.authorization, undefined);
    assert.equal(seen.headers.dpop, undefined);
  });

  it('an unverified e-mail address is not passed on', async () => {
    const keys = await dpop.generateKeyPair('ES256');
    const { access_token: token } = await passwordGrant(keys, people.bob);
    const seen = (await (await call(keys, token, '/orders')).json());
    assert.equal(seen.headers['x-auth-username'], 'bob');
    assert.equal(seen.headers['x-auth-email'], undefined);
  });

  it('roles and scopes of Keycloak decide', async () => {
    const keys = await dpop.generateKeyPair('ES256');
    const { access_token: alice } = await passwordGrant(keys, people.alice);
    const { access_token: writer } = await passwordGrant(keys, people.alice, { scope: 'openid orders:write' });
    const { access_token: bob } = await passwordGrant(keys, people.bob);
    assert.equal((await call(keys, alice, '/clerks')).status, 200);
    assert.equal((await call(keys, alice, '/approvals')).status, 200);
    await refused(await call(keys, bob, '/clerks'), 403, 'role_missing');
    await refused(await call(keys, bob, '/approvals'), 403, 'role_missing');
    assert.equal((await call(keys, writer, '/orders', { method: 'POST' })).status, 200);
    await refused(await call(keys, alice, '/orders', { method: 'POST' }), 403, 'scope_missing');
  });

  it('refuses what Keycloak did not bind, or bound to another key, or meant for another API', async () => {
    const keys = await dpop.generateKeyPair('ES256');
    const { access_token: bound } = await passwordGrant(keys, people.alice);
    const unbound = await passwordGrant(keys, people.alice, { clientId: 'legacy-web', proof: false });
    const billing = await passwordGrant(keys, people.alice, { clientId: 'billing-web' });
    assert.equal(unbound.token_type, 'Bearer');
    await refused(await call(keys, unbound.access_token, '/orders'), 401, 'token_unbound');
    await refused(await call(await dpop.generateKeyPair('ES256'), bound, '/orders'), 403, 'key_mismatch');
    await refused(await call(keys, billing.access_token, '/orders'), 401, 'token_audience');
  });

  it('refuses an ID token and a refresh token', async () => {
    const keys = await dpop.generateKeyPair('ES256');
    const { id_token: idToken, refresh_token: refreshToken } = await passwordGrant(keys, people.alice);
    for (const token of [idToken, refreshToken]) {
      const response = await call(keys, token, '/orders');
      const body = await response.json();
      assert.equal(response.status, 401, JSON.stringify(body));
      assert.match(response.headers.get('www-authenticate'), /error="invalid_token"/);
    }
  });

  it('client credentials with oauth4webapi, nonce learned by its own means', async () => {
    const issuer = new URL(keycloak.issuer);
    const options = { [oauth.allowInsecureRequests]: true };
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
    const me = { client_id: 'orders-batch' };
    const handle = oauth.DPoP(me, await oauth.generateKeyPair('ES256'));
    const response = await oauth.clientCredentialsGrantRequest(server, me, oauth.ClientSecretBasic('orders-batch-demo-secret'),
      new URLSearchParams(), { ...options, DPoP: handle });
    const { access_token: token, token_type: type } = await oauth.processClientCredentialsResponse(server, me, response);
    assert.equal(type, 'dpop');
    const request = () => oauth.protectedResourceRequest(token, 'GET', new URL(`${holdfast.origin}/payments`), undefined, undefined, { DPoP: handle });
    // As the library's documentation has it: the first call may end in a challenge, from which the handle learned the nonce.
    let challenges = 0;
    const answer = await request().catch((error) => {
      if (!oauth.isDPoPNonceError(error)) throw error;
      challenges++;
      return request();
    });
    assert.equal(challenges, 1);
    assert.equal(answer.status, 200);
    const seen = (await answer.json()).headers;
    assert.equal(seen['x-auth-client-id'], 'orders-batch');
    assert.equal(seen['x-auth-username'], 'service-account-orders-batch');
    // The nonce is good for many requests: no second challenge.
    assert.equal((await request()).status, 200);
  });

  it('code grant with PKCE through the login form, and the refresh of its token, with openid-client', async () => {
    const configuration = await discover(keycloak.issuer, 'orders-web');
    const handle = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'));
    const tokens = await codeGrant(configuration, handle, people.alice);
    assert.equal(tokens.token_type, 'dpop');
    const url = new URL(`${holdfast.origin}/orders`);
    const answer = await client.fetchProtectedResource(configuration, tokens.access_token, url, 'GET', undefined, undefined, { DPoP: handle });
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).headers['x-auth-username'], 'alice');
    // openid-client retries by itself where a route wants a nonce.
    const payments = await client.fetchProtectedResource(configuration, tokens.access_token, new URL(`${holdfast.origin}/payments`),
      'GET', undefined, undefined, { DPoP: handle });
    assert.equal(payments.status, 200);

    const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP: handle });
    assert.notEqual(refreshed.access_token, tokens.access_token);
    const again = await client.fetchProtectedResource(configuration, refreshed.access_token, url, 'GET', undefined, undefined, { DPoP: handle });
    assert.equal(again.status, 200);
  });

  it('a login too old or too weak is told what to ask Keycloak for, whatever the age of the token', async () => {
    const strict = await startHoldfast({
      issuers: [{ name: 'keycloak', url: keycloak.issuer, audiences: ['orders-api'], clock_skew: '0s' }],
      upstreams: [{ name: 'orders', servers: [backend.url] }],
      routes: [
        { name: 'hour', match: { path: '/hour' }, require: { acr: '1', max_auth_age: '1h', claims: { azp: ['orders-web'], email_verified: true } }, upstream: 'orders' },
        { name: 'second', match: { path: '/second' }, require: { max_auth_age: '1s' }, upstream: 'orders' },
        { name: 'gold', match: { path: '/gold' }, require: { acr: ['gold', 'silver'], max_auth_age: '1h' }, upstream: 'orders' },
        { name: 'tenant', match: { path: '/tenant' }, require: { claims: { azp: ['billing-web'] } }, upstream: 'orders' },
      ],
    });
    try {
      const configuration = await discover(keycloak.issuer, 'orders-web');
      const keys = await client.randomDPoPKeyPair('ES256');
      const handle = client.getDPoPHandle(configuration, keys);
      const tokens = await codeGrant(configuration, handle, people.alice);
      const login = jose.decodeJwt(tokens.access_token).auth_time;
      const get = async (token, path) => {
        const url = `${strict.origin}${path}`;
        return fetch(url, { headers: { authorization: `DPoP ${token}`, dpop: await dpop.generateProof(keys, url, 'GET', undefined, token) } });
      };
      while (Date.now() < (login + 3) * 1000) await sleep(100);
      // A new token of the same login: as young as can be, and no help.
      const { access_token: token } = await client.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP: handle });
      assert.equal(jose.decodeJwt(token).auth_time, login);
      assert.ok(jose.decodeJwt(token).iat > login + 1);

      assert.equal((await get(token, '/hour')).status, 200);
      const challenge = (response) => response.headers.get('www-authenticate');
      const stale = await get(token, '/second');
      assert.match(challenge(stale), /^DPoP error="insufficient_user_authentication",.* max_age="1"/);
      await refused(stale, 401, 'step_up_required');
      const weak = await get(token, '/gold');
      assert.match(challenge(weak), /^DPoP error="insufficient_user_authentication",.* acr_values="gold silver", max_age="3600"/);
      await refused(weak, 401, 'step_up_required');
      const foreign = await get(token, '/tenant');
      assert.equal(challenge(foreign), null);
      await refused(foreign, 403, 'claim_mismatch');
    } finally {
      await strict.stop();
    }
  });

  it('keys rotate while requests run: no valid request is refused', async () => {
    const administrator = new Administrator(keycloak);
    const kids = new Set();
    const wrong = [];
    let requests = 0;
    let running = true;
    const clients = Array.from({ length: 6 }, async () => {
      const keys = await dpop.generateKeyPair('ES256');
      const old = (await passwordGrant(keys, people.alice)).access_token;
      while (running) {
        // A token of the newest key, and the very first one, whose key stays published.
        const { access_token: token } = await passwordGrant(keys, people.alice);
        kids.add(jose.decodeProtectedHeader(token).kid);
        for (const each of [token, token, old]) {
          const response = await call(keys, each, '/orders');
          requests++;
          if (response.status !== 200) wrong.push(`${response.status} ${await response.text()}`);
          else await response.arrayBuffer();
        }
      }
    });
    await sleep(1000);
    const components = [];
    for (const priority of [200, 300, 400]) {
      components.push(await administrator.rotate(priority));
      await sleep(2000);
    }
    running = false;
    await Promise.all(clients);
    assert.deepEqual(wrong, []);
    assert.equal(kids.size, 4, 'tokens of the first key and of the three rotated ones were seen');
    assert.ok(requests > 50, `${requests} requests`);

    // And a key that is withdrawn takes its tokens with it, cached or not.
    const keys = await dpop.generateKeyPair('ES256');
    const { access_token: token } = await passwordGrant(keys, people.alice);
    assert.equal((await call(keys, token, '/orders')).status, 200);
    await administrator.withdraw(components.at(-1));
    let last = await call(keys, token, '/orders');
    for (let i = 0; i < 60 && last.status === 200; i++) {
      await last.arrayBuffer();
      await sleep(250);
      last = await call(keys, token, '/orders');
    }
    assert.notEqual(last.status, 200, 'a token of a withdrawn key was still taken after 15 s of refreshes every 2 s');
    await refused(last, 401, 'token_key_unknown');
  });
});
