// An issuer whose tokens may be wrong in every way: for the refusals that no real identity provider can be made to cause.

import { once } from 'node:events';
import { createServer } from 'node:http';
import * as jose from 'jose';

export async function startIssuer() {
  const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
  const stranger = await jose.generateKeyPair('ES256');
  const jwks = { keys: [{ ...(await jose.exportJWK(publicKey)), kid: 'one', use: 'sig', alg: 'ES256' }] };
  let url;
  const server = createServer((request, response) => {
    const document = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/jwks`, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token` },
      '/jwks': jwks,
    }[request.url];
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${server.address().port}`;

  /** A good token bound to `jkt`, unless `claims` (undefined removes one), `header` or `key` say otherwise. */
  async function token(jkt, { claims = {}, header = {}, key = privateKey } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: url, sub: 'alice', aud: 'orders-api', client_id: 'test', iat: now, exp: now + 300, jti: crypto.randomUUID(),
      scope: 'orders:read', realm_access: { roles: ['clerk'] }, cnf: { jkt }, ...claims,
    };
    return new jose.SignJWT(JSON.parse(JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'one', ...header })
      .sign(key);
  }

  return { url, token, stranger: stranger.privateKey, stop: () => new Promise((closed) => server.close(closed)) };
}
