// Keycloak 24.0.5, DPoP still a preview there: the code and the refresh grant bind, the password and the client-credentials
// grant do not, whatever the client's settings say. Holdfast serves the first and refuses the others.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as dpop from 'dpop';
import * as jose from 'jose';
import * as client from 'openid-client';
import { startBackend } from './support/backend.mjs';
import { startHoldfast } from './support/holdfast.mjs';
import { codeGrant, discover, missing, people, startKeycloak } from './support/keycloak.mjs';

const version = '24.0.5';

describe(`Keycloak ${version}`, { skip: missing(version) }, () => {
  let keycloak;
  let backend;
  let holdfast;

  before(async () => {
    [keycloak, backend] = await Promise.all([startKeycloak(version), startBackend()]);
    holdfast = await startHoldfast({ issuer: keycloak.issuer, audience: 'orders-api', upstream: backend.url });
  }, { timeout: 240_000 });

  after(async () => {
    await holdfast?.stop();
    await backend?.stop();
    await keycloak?.stop();
  });

  it('code grant with PKCE through the login form, and the refresh of its token', async () => {
    const configuration = await discover(keycloak.issuer, 'orders-web');
    const handle = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'));
    const tokens = await codeGrant(configuration, handle, people.alice);
    assert.equal(tokens.token_type, 'dpop');
    assert.equal(jose.decodeJwt(tokens.access_token).typ, 'DPoP');
    const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP: handle });
    assert.notEqual(refreshed.access_token, tokens.access_token);
    for (const token of [tokens.access_token, refreshed.access_token]) {
      const answer = await client.fetchProtectedResource(configuration, token, new URL(`${holdfast.origin}/orders`), 'GET',
        undefined, undefined, { DPoP: handle });
      assert.equal(answer.status, 200);
      const seen = (await answer.json()).headers;
      assert.equal(seen['x-auth-username'], 'alice');
      assert.equal(seen['x-auth-key-thumbprint'], await handle.calculateThumbprint());
    }
  });

  for (const [grant, form] of Object.entries({
    password: { client_id: 'orders-web', ...people.alice },
    client_credentials: { client_id: 'orders-batch', client_secret: 'orders-batch-demo-secret' },
  })) {
    it(`${grant} grant: the token is bound to nothing, and refused`, async () => {
      const keys = await dpop.generateKeyPair('ES256');
      const response = await fetch(keycloak.tokenEndpoint, {
        method: 'POST',
        headers: { dpop: await dpop.generateProof(keys, keycloak.tokenEndpoint, 'POST') },
        body: new URLSearchParams({ grant_type: grant, scope: 'openid', ...form }),
      });
      const { access_token: token, token_type: type } = await response.json();
      assert.equal(type, 'Bearer');
      assert.equal(jose.decodeJwt(token).cnf, undefined);
      const url = `${holdfast.origin}/orders`;
      const refusal = await fetch(url, {
        headers: { authorization: `DPoP ${token}`, dpop: await dpop.generateProof(keys, url, 'GET', undefined, token) },
      });
      assert.equal(refusal.status, 401);
      assert.match(refusal.headers.get('www-authenticate'), /^DPoP .*error="invalid_token"/);
      assert.equal((await refusal.json()).reason, 'token_unbound');
    });
  }
});
