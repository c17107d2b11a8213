// panva's oidc-provider, a certified server with other habits: ES256 access tokens of type at+jwt by resource indicators
// (RFC 8707), nonces at its own token endpoint, no realm roles. Code grant through its forms, and client credentials. Its tokens
// for a second resource are opaque, so Holdfast has to ask what they are (RFC 7662).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import { Provider } from 'oidc-provider';
import * as client from 'openid-client';
import { startBackend } from './support/backend.mjs';
import { startHoldfast } from './support/holdfast.mjs';
import { codeGrant, discover } from './support/keycloak.mjs';
import { freePorts } from './support/process.mjs';

const resource = 'https://api.example.com/';
const opaqueResource = 'https://opaque.example.com/';
const apiSecret = 'what-the-api-shows-when-it-asks!';

/** An oidc-provider on loopback whose access tokens for `resource` are JWTs for the audience orders-api; for the other, opaque. */
async function startProvider() {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const keys = [];
  for (const alg of ['ES256', 'RS256']) {
    const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
    keys.push({ ...(await jose.exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-1` });
  }
  const provider = new Provider(url, {
    jwks: { keys },
    clients: [
      { client_id: 'app', token_endpoint_auth_method: 'none', application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code'], response_types: ['code'], dpop_bound_access_tokens: true },
      { client_id: 'batch', client_secret: 'batch-secret-of-thirty-two-bytes!', redirect_uris: [], response_types: [],
        grant_types: ['client_credentials'], dpop_bound_access_tokens: true },
      { client_id: 'orders-api', client_secret: apiSecret, redirect_uris: [], response_types: [], grant_types: [] },
    ],
    enabledJWA: { dPoPSigningAlgValues: ['ES256', 'PS256', 'RS256', 'Ed25519'] },
    ttl: { AccessToken: 300, AuthorizationCode: 60, ClientCredentials: 300, Grant: 300, IdToken: 300, Interaction: 300, Session: 300 },
    cookies: { keys: ['a key for the cookies of a test'] },
    scopes: ['openid', 'orders:read', 'orders:write'],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (context, asking) => asking.clientId === 'orders-api' },
      revocation: { enabled: true, allowedPolicy: (context, asking, token) => asking.clientId === token.clientId },
      dPoP: { enabled: true, nonceSecret: crypto.getRandomValues(Buffer.alloc(32)), requireNonce: () => true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (context, indicator) => ({
          scope: 'orders:read orders:write', audience: 'orders-api',
          ...(indicator === resource ? { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } } : { accessTokenFormat: 'opaque' }),
        }),
      },
    },
  });
  const server = provider.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { url, stop: () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  } };
}

describe('oidc-provider', () => {
  let provider;
  let backend;
  let holdfast;

  before(async () => {
    [provider, backend] = await Promise.all([startProvider(), startBackend()]);
    const secretFile = join(process.env.HOLDFAST_E2E_FOLDER, 'oidc-provider-secret');
    await writeFile(secretFile, apiSecret, { mode: 0o600 });
    holdfast = await startHoldfast({
      issuers: [{
        name: 'panva', url: provider.url, audiences: ['orders-api'], token_type: 'at+jwt',
        introspection: { mode: 'opaque', client_id: 'orders-api', client_secret_file: secretFile, cache: '1s' },
      }],
      upstreams: [{ name: 'orders', servers: [backend.url] }],
      routes: [
        { name: 'payments', match: { path: '/payments' }, nonce: 'required', upstream: 'orders' },
        { name: 'write', match: { path: '/orders', methods: ['POST'] }, require: { scopes: ['orders:write'] }, upstream: 'orders' },
        { name: 'orders', match: { path: '/**' }, upstream: 'orders' },
      ],
    });
  }, { timeout: 60_000 });

  after(async () => {
    await holdfast?.stop();
    await backend?.stop();
    await provider?.stop();
  });

  const get = (configuration, token, path, handle, method = 'GET') =>
    client.fetchProtectedResource(configuration, token, new URL(`${holdfast.origin}${path}`), method, undefined, undefined, { DPoP: handle });

  it('code grant with PKCE through its forms', async () => {
    const configuration = await discover(provider.url, 'app');
    const handle = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'));
    const tokens = await codeGrant(configuration, handle, { username: 'carol', password: 'any' }, { resource, scope: 'openid orders:read' });
    assert.equal(jose.decodeProtectedHeader(tokens.access_token).typ, 'at+jwt');
    const answer = await get(configuration, tokens.access_token, '/orders', handle);
    assert.equal(answer.status, 200);
    const seen = (await answer.json()).headers;
    assert.equal(seen['x-auth-subject'], 'carol');
    assert.equal(seen['x-auth-client-id'], 'app');
    assert.equal(seen['x-auth-scope'], 'orders:read');
    assert.equal(seen['x-auth-issuer'], provider.url);
    assert.equal(seen['x-auth-key-thumbprint'], await handle.calculateThumbprint());
    await assert.rejects(get(configuration, tokens.access_token, '/orders', handle, 'POST'), (error) => {
      assert.equal(error.status, 403);
      assert.match(error.response.headers.get('www-authenticate'), /error="insufficient_scope".*scope="orders:write"/);
      return true;
    });
  });

  it('client credentials, with the key of each algorithm that it takes, to a route that wants a nonce', async () => {
    for (const algorithm of ['ES256', 'PS256', 'RS256', 'Ed25519']) {
      const configuration = await discover(provider.url, 'batch', client.ClientSecretBasic('batch-secret-of-thirty-two-bytes!'));
      const handle = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair(algorithm));
      const tokens = await client.clientCredentialsGrant(configuration, { resource, scope: 'orders:write' }, { DPoP: handle });
      assert.equal(tokens.token_type, 'dpop', algorithm);
      // The server's nonce for its own token endpoint is not ours, and the library keeps them apart by origin.
      const answer = await get(configuration, tokens.access_token, '/payments', handle);
      assert.equal(answer.status, 200, algorithm);
      assert.equal((await answer.json()).headers['x-auth-client-id'], 'batch');
      assert.equal((await get(configuration, tokens.access_token, '/orders', handle, 'POST')).status, 200, algorithm);
    }
  });

  it('a client that knows the API alone finds the issuer by the metadata that a challenge names', async () => {
    const refused = await fetch(`${holdfast.origin}/orders`);
    const [, metadata] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate'));
    const origin = new URL(holdfast.origin);
    const response = await oauth.resourceDiscoveryRequest(origin);
    assert.equal(response.url, metadata);
    const found = await oauth.processResourceDiscoveryResponse(origin, response);
    assert.deepEqual(found.authorization_servers, [provider.url]);
    assert.equal(found.dpop_bound_access_tokens_required, true);
    assert.ok(found.dpop_signing_alg_values_supported.includes('ES256'));
    assert.deepEqual(found.scopes_supported, ['orders:write']);
    const configuration = await discover(found.authorization_servers[0], 'batch', client.ClientSecretBasic('batch-secret-of-thirty-two-bytes!'));
    const handle = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair(found.dpop_signing_alg_values_supported[0]));
    const tokens = await client.clientCredentialsGrant(configuration, { resource, scope: 'orders:write' }, { DPoP: handle });
    assert.equal((await get(configuration, tokens.access_token, '/orders', handle, 'POST')).status, 200);
  });

  it('opaque tokens, until they are revoked', async () => {
    const configuration = await discover(provider.url, 'batch', client.ClientSecretBasic('batch-secret-of-thirty-two-bytes!'));
    const handle = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'));
    const tokens = await client.clientCredentialsGrant(configuration, { resource: opaqueResource, scope: 'orders:read' }, { DPoP: handle });
    assert.doesNotMatch(tokens.access_token, /\./, 'no JWT');
    const answer = await get(configuration, tokens.access_token, '/orders', handle);
    assert.equal(answer.status, 200);
    const seen = (await answer.json()).headers;
    assert.equal(seen['x-auth-client-id'], 'batch');
    assert.equal(seen['x-auth-scope'], 'orders:read');
    assert.equal(seen['x-auth-issuer'], provider.url);
    assert.equal(seen['x-auth-key-thumbprint'], await handle.calculateThumbprint());
    const refused = (status, challenge) => (error) => {
      assert.equal(error.status, status);
      assert.match(error.response.headers.get('www-authenticate'), challenge);
      return true;
    };
    await assert.rejects(get(configuration, tokens.access_token, '/orders', handle, 'POST'), refused(403, /insufficient_scope/));
    const stranger = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'));
    await assert.rejects(get(configuration, tokens.access_token, '/orders', stranger), refused(403, /invalid_token/));

    await client.tokenRevocation(configuration, tokens.access_token);
    const revoked = Date.now();
    for (let began = revoked; ; await sleep(100), began = Date.now()) {
      const later = await get(configuration, tokens.access_token, '/orders', handle).catch((error) => error);
      if (later.status !== 200) {
        refused(401, /invalid_token/)(later);
        break;
      }
      assert.ok(began - revoked < 1000, `still taken ${began - revoked} ms after it was revoked`);
    }
  });
});
