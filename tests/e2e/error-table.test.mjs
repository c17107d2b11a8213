// Every row of the contract's error table against the running binary: what is sent, the status, the challenge and the reason,
// and that no refusal and no log line holds a credential. The proofs are made here, wrong in one way each; a right one passes
// first, so that each case shows the one thing that it changes.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as jose from 'jose';
import { startBackend } from './support/backend.mjs';
import { startHoldfast } from './support/holdfast.mjs';
import { startIssuer } from './support/issuer.mjs';
import { freePorts } from './support/process.mjs';
import { send, sendRaw } from './support/send.mjs';

const now = () => Math.floor(Date.now() / 1000);
const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const sha256 = async (text) => Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url');

let issuer;
let backend;
let holdfast;
let alice;

before(async () => {
  [issuer, backend, alice] = await Promise.all([startIssuer(), startBackend(), makeKey()]);
  const [closedPort] = await freePorts(1);
  const server = (name, url, more = {}) => ({ name, servers: [url], ...more });
  holdfast = await startHoldfast({
    issuers: [{ name: 'local', url: issuer.url, audiences: ['orders-api'] }],
    upstreams: [
      server('orders', backend.url),
      server('slow', backend.url, { timeouts: { response: '500ms' } }),
      server('gone', `http://127.0.0.1:${closedPort}`),
    ],
    routes: [
      { name: 'health', match: { path: '/healthz' }, access: 'public', upstream: 'orders' },
      { name: 'closed', match: { path: '/closed/**' }, access: 'deny' },
      { name: 'payments', match: { path: '/payments' }, nonce: 'required', upstream: 'orders' },
      { name: 'slow', match: { path: '/slow' }, upstream: 'slow' },
      { name: 'gone', match: { path: '/gone' }, upstream: 'gone' },
      { name: 'write', match: { path: '/orders', methods: ['POST'] }, require: { scopes: ['orders:read', 'orders:write'] }, upstream: 'orders' },
      { name: 'admin', match: { path: '/admin' }, require: { roles: { any: ['admin', 'orders-api:approver'] } }, upstream: 'orders' },
      { name: 'orders', match: { path: ['/orders/**', '/other'] }, upstream: 'orders' },
    ],
  });
}, { timeout: 60_000 });

after(async () => {
  await holdfast?.stop();
  await backend?.stop();
  await issuer?.stop();
});

const signing = Object.fromEntries([
  ...[256, 384, 512].flatMap((bits) => [
    [`ES${bits}`, { name: 'ECDSA', hash: `SHA-${bits}` }],
    [`RS${bits}`, { name: 'RSASSA-PKCS1-v1_5' }],
    [`PS${bits}`, { name: 'RSA-PSS', saltLength: bits / 8 }],
  ]),
  ['Ed25519', { name: 'Ed25519' }],
  ['EdDSA', { name: 'Ed25519' }],
]);

async function makeKey(algorithm = 'ES256', options = {}) {
  const { publicKey, privateKey } = await jose.generateKeyPair(algorithm, { extractable: true, ...options });
  const jwk = await jose.exportJWK(publicKey);
  return { algorithm, privateKey, jwk, private: await jose.exportJWK(privateKey), jkt: await jose.calculateJwkThumbprint(jwk) };
}

/** A right proof for this request, unless `claims` (undefined removes one) or `header` say otherwise. */
async function makeProof(key, method, url, token, { claims = {}, header = {} } = {}) {
  const payload = { jti: crypto.randomUUID(), htm: method, htu: url, iat: now(), ath: await sha256(token), ...claims };
  const head = { typ: 'dpop+jwt', alg: key.algorithm, jwk: key.jwk, ...header };
  const input = `${encode(head)}.${encode(payload)}`;
  // WebCrypto and not jose: a library refuses to sign some of the headers that have to be refused here.
  return `${input}.${Buffer.from(await crypto.subtle.sign(signing[key.algorithm], key.privateKey, Buffer.from(input))).toString('base64url')}`;
}

const bad = (reason, error = 'invalid_dpop_proof') => ({ status: 401, error, reason });
const token401 = (reason) => bad(reason, 'invalid_token');

/** Sends a DPoP request that `change` made wrong. */
async function attempt({ method = 'GET', path = '/orders', key = alice, token, proof, headers, host } = {}) {
  const url = `${holdfast.origin}${path}`;
  const accessToken = typeof token === 'string' ? token : await issuer.token(alice.jkt, token);
  const made = typeof proof === 'string' ? proof : await makeProof(key, method, url.split('?')[0], accessToken, proof);
  const fields = headers ? headers(accessToken, made) : [['Authorization', `DPoP ${accessToken}`], ['DPoP', made]];
  const answer = await send(url, { method, headers: fields, host });
  answer.secrets = [accessToken, made].filter((secret) => secret.length > 20);
  return answer;
}

/** Holds a refusal to its row. */
function refused(answer, { status, error, reason, scope }) {
  const body = answer.json;
  assert.deepEqual({ status: answer.status, reason: body.reason }, { status, reason }, answer.body);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(body.type, `urn:holdfast:reason:${reason}`);
  assert.equal(body.status, status);
  for (const member of ['title', 'detail', 'request_id']) assert.equal(typeof body[member], 'string', `problem has ${member}`);
  const challenge = answer.headers['www-authenticate'];
  if (error === undefined) {
    assert.ok(!/error=/.test(challenge ?? ''), `no error expected: ${challenge}`);
  } else {
    assert.match(challenge, new RegExp(`^DPoP (.*, )?error="${error}"`));
  }
  if (status === 401) assert.match(challenge, /\balgs="[A-Za-z0-9 ]*\bES256\b[A-Za-z0-9 ]*"/);
  else if (status !== 403 && status !== 400) assert.equal(challenge, undefined);
  if (scope) assert.match(challenge, new RegExp(`scope="${scope}"`));
  for (const secret of answer.secrets ?? []) {
    for (const part of secret.split('.')) {
      if (part.length > 20) assert.ok(!answer.body.includes(part) && !JSON.stringify(answer.headers).includes(part), 'a refusal repeats a credential');
    }
  }
}

const basic = [['Authorization', 'Basic dXNlcjpwYXNz']];
const only = (...fields) => ({ headers: (token, proof) => fields.map(([name, value]) => [name, value.replace('TOKEN', token).replace('PROOF', proof)]) });
const claims = (changed) => ({ proof: { claims: changed } });
const header = (changed) => ({ proof: { header: changed } });

describe('the proof', () => {
  it('a right one passes, for each algorithm', async () => {
    for (const algorithm of ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512', 'Ed25519', 'EdDSA']) {
      const key = await makeKey(algorithm);
      const answer = await attempt({ key, token: { claims: { cnf: { jkt: key.jkt } } } });
      assert.equal(answer.status, 200, `${algorithm}: ${answer.body}`);
    }
  });

  it('spellings of the same htu pass, and a query is no part of it', async () => {
    const url = new URL(holdfast.origin);
    for (const [path, htu] of [
      ['/orders', `HTTPS://LOCALHOST:${url.port}/orders`],
      ['/orders', `${holdfast.origin}/x/../orders`],
      ['/orders', `${holdfast.origin}/%6Frders`],
      ['/orders?page=2', `${holdfast.origin}/orders`],
      ['/orders', `${holdfast.origin}/orders?page=2#top`],
      ['/orders/a%2Fb', `${holdfast.origin}/orders/a%2fb`],
    ]) {
      const answer = await attempt({ path, proof: { claims: { htu } } });
      assert.equal(answer.status, 200, `${htu} for ${path}: ${answer.body}`);
    }
  });

  const cases = {
    'no credentials': [{ headers: () => [] }, { status: 401, reason: 'no_credentials' }],
    'a scheme that the route does not take': [{ headers: () => basic }, { status: 401, reason: 'no_credentials' }],
    'no proof': [only(['Authorization', 'DPoP TOKEN']), bad('proof_missing')],
    'two proofs': [only(['Authorization', 'DPoP TOKEN'], ['DPoP', 'PROOF'], ['DPoP', 'PROOF']), bad('proof_multiple')],
    'not a JWS': [{ proof: 'nonsense' }, bad('proof_malformed')],
    'two segments': [{ proof: `${encode({})}.${encode({})}` }, bad('proof_malformed')],
    'padding': [only(['Authorization', 'DPoP TOKEN'], ['DPoP', 'PROOF=']), bad('proof_malformed')],
    'a header that is no object': [{ proof: `${encode('[]')}.${encode({})}.AAAA` }, bad('proof_malformed')],
    'a member twice': [{ proof: `${encode('{"typ":"dpop+jwt","typ":"dpop+jwt"}')}.${encode({})}.AAAA` }, bad('proof_malformed')],
    'another typ': [header({ typ: 'JWT' }), bad('proof_type')],
    'no typ': [header({ typ: undefined }), bad('proof_type')],
    'alg none': [header({ alg: 'none' }), bad('proof_algorithm')],
    'a MAC': [header({ alg: 'HS256' }), bad('proof_algorithm')],
    'an extension': [header({ crit: ['b64'], b64: false }), bad('proof_critical')],
    'no jwk': [header({ jwk: undefined }), bad('proof_key')],
    'a jwk that does not fit alg': [header({ alg: 'ES384' }), bad('proof_key')],
    'a point off the curve': [() => header({ jwk: { ...alice.jwk, y: alice.jwk.x } }), bad('proof_key')],
    'a private jwk': [() => header({ jwk: alice.private }), bad('proof_key_private')],
    'no jti': [claims({ jti: undefined }), bad('proof_claim')],
    'an empty jti': [claims({ jti: '' }), bad('proof_claim')],
    'a jti of 513 bytes': [claims({ jti: 'j'.repeat(513) }), bad('proof_claim')],
    'iat in quotes': [claims({ iat: String(now()) }), bad('proof_claim')],
    'no htu': [claims({ htu: undefined }), bad('proof_claim')],
    'no ath': [claims({ ath: undefined }), bad('proof_claim')],
    'another method': [claims({ htm: 'POST' }), bad('htm_mismatch')],
    'the method in lower case': [claims({ htm: 'get' }), bad('htm_mismatch')],
    'another path': [() => claims({ htu: `${holdfast.origin}/other` }), bad('htu_mismatch')],
    'a path in other case': [() => claims({ htu: `${holdfast.origin}/Orders` }), bad('htu_mismatch')],
    'a slash more': [() => claims({ htu: `${holdfast.origin}/orders/` }), bad('htu_mismatch')],
    'another host': [() => claims({ htu: 'https://elsewhere.example/orders' }), bad('htu_mismatch')],
    'another scheme': [() => claims({ htu: holdfast.origin.replace('https', 'http') + '/orders' }), bad('htu_mismatch')],
    'a user in it': [() => claims({ htu: holdfast.origin.replace('//', '//alice@') + '/orders' }), bad('htu_mismatch')],
    'two minutes old': [() => claims({ iat: now() - 120 }), bad('iat_too_old')],
    'a minute ahead': [() => claims({ iat: now() + 60 }), bad('iat_in_future')],
    'ath of another token': [claims({ ath: 'A'.repeat(43) }), bad('ath_mismatch')],
    'a signature by another key': [async () => {
      const thief = await makeKey();
      return { key: { ...thief, jwk: alice.jwk } };
    }, bad('proof_signature')],
  };
  for (const [name, [change, expected]] of Object.entries(cases)) {
    it(`${name}: ${expected.reason}`, async () => {
      refused(await attempt(typeof change === 'function' ? await change() : change), expected);
    });
  }

  it('sent twice: proof_replayed, on another connection too', async () => {
    const token = await issuer.token(alice.jkt);
    const proof = await makeProof(alice, 'GET', `${holdfast.origin}/orders`, token);
    assert.equal((await attempt({ token, proof })).status, 200);
    refused(await attempt({ token, proof }), bad('proof_replayed'));
  });

  it('sent 64 times at once: taken once', async () => {
    const token = await issuer.token(alice.jkt);
    for (let round = 0; round < 5; round++) {
      const proof = await makeProof(alice, 'GET', `${holdfast.origin}/orders`, token);
      const answers = await Promise.all(Array.from({ length: 64 }, () => attempt({ token, proof })));
      assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
      for (const answer of answers) if (answer.status !== 200) refused(answer, bad('proof_replayed'));
    }
  });

  it('a refusal claims nothing: the same proof passes once the token is right', async () => {
    const token = await issuer.token(alice.jkt);
    const proof = await makeProof(alice, 'GET', `${holdfast.origin}/orders`, token);
    const thief = await makeKey();
    const jti = jose.decodeJwt(proof).jti;
    // A stranger who saw the jti tries to burn it with a key of his own.
    refused(await attempt({ token, key: thief, proof: { claims: { jti } } }), { status: 403, error: 'invalid_token', reason: 'key_mismatch' });
    refused(await attempt({ token, key: { ...thief, jwk: alice.jwk }, proof: { claims: { jti } } }), bad('proof_signature'));
    assert.equal((await attempt({ token, proof })).status, 200);
  });
});

describe('the nonce', () => {
  const challenge = (answer, reason) => {
    refused(answer, { status: 401, error: 'use_dpop_nonce', reason });
    assert.ok(answer.headers['dpop-nonce'], 'a fresh nonce comes with the refusal');
    return answer.headers['dpop-nonce'];
  };

  it('is asked for, given, and then taken, whatever the clock of the client says', async () => {
    const nonce = challenge(await attempt({ path: '/payments' }), 'nonce_required');
    assert.equal((await attempt({ path: '/payments', proof: { claims: { nonce } } })).status, 200);
    assert.equal((await attempt({ path: '/payments', proof: { claims: { nonce, iat: now() - 3600 } } })).status, 200);
  });

  it('that is forged or altered is refused with a new one', async () => {
    const nonce = challenge(await attempt({ path: '/payments', proof: { claims: { nonce: 'invented' } } }), 'nonce_invalid');
    const altered = (nonce[0] === 'A' ? 'B' : 'A') + nonce.slice(1);
    const answer = await attempt({ path: '/payments', proof: { claims: { nonce: altered } } });
    assert.equal(answer.status, 401);
    assert.match(answer.headers['www-authenticate'], /error="use_dpop_nonce"/);
  });

  it('comes before the age of the proof', async () => {
    challenge(await attempt({ path: '/payments', proof: { claims: { iat: now() - 3600 } } }), 'nonce_required');
  });

  it('is ignored where none is asked for', async () => {
    assert.equal((await attempt({ proof: { claims: { nonce: 'of another place' } } })).status, 200);
  });
});

describe('the token', () => {
  const cases = {
    'not a JWS': [{ token: 'nonsense' }, token401('token_malformed')],
    'expired': [() => ({ token: { claims: { exp: now() - 60 } } }), token401('token_expired')],
    'not yet valid': [() => ({ token: { claims: { nbf: now() + 60 } } }), token401('token_not_yet_valid')],
    'for another audience': [{ token: { claims: { aud: ['billing-api'] } } }, token401('token_audience')],
    'without an audience': [{ token: { claims: { aud: undefined } } }, token401('token_audience')],
    'of another issuer': [{ token: { claims: { iss: 'https://elsewhere.example' } } }, token401('token_issuer')],
    'of a key that the issuer does not publish': [{ token: { header: { kid: 'two' } } }, token401('token_key_unknown')],
    'signed by a stranger': [() => ({ token: { key: issuer.stranger } }), token401('token_signature')],
    'a proof in its place': [{ token: { header: { typ: 'dpop+jwt' } } }, token401('token_type')],
    'a logout token': [{ token: { header: { typ: 'logout+jwt' } } }, token401('token_type')],
    'an ID token': [{ token: { claims: { typ: 'ID' } } }, token401('token_type')],
    'alg none': [async () => ({ token: `${encode({ alg: 'none', kid: 'one' })}.${(await issuer.token(alice.jkt)).split('.')[1]}.AAAA` }), token401('token_algorithm')],
    'bound to nothing': [{ token: { claims: { cnf: undefined } } }, token401('token_unbound')],
    'bound to another key': [async () => ({ key: await makeKey() }), { status: 403, error: 'invalid_token', reason: 'key_mismatch' }],
    // A route that takes DPoP alone refuses the scheme before it looks at the token: no `error`.
    'sent as Bearer': [only(['Authorization', 'Bearer TOKEN']), { status: 401, reason: 'bearer_refused' }],
    'sent as Bearer beside its proof': [only(['Authorization', 'Bearer TOKEN'], ['DPoP', 'PROOF']), { status: 401, reason: 'bearer_refused' }],
    'unbound and sent as Bearer': [{ token: { claims: { cnf: undefined } }, ...only(['Authorization', 'Bearer TOKEN']) }, { status: 401, reason: 'bearer_refused' }],
  };
  for (const [name, [change, expected]] of Object.entries(cases)) {
    it(`${name}: ${expected.reason}`, async () => {
      refused(await attempt(typeof change === 'function' ? await change() : change), expected);
    });
  }
});

describe('what the caller may do', () => {
  it('scope missing', async () => {
    refused(await attempt({ method: 'POST' }), { status: 403, error: 'insufficient_scope', reason: 'scope_missing', scope: 'orders:read orders:write' });
    assert.equal((await attempt({ method: 'POST', token: { claims: { scope: 'orders:write x orders:read' } } })).status, 200);
  });

  it('role missing', async () => {
    refused(await attempt({ path: '/admin' }), { status: 403, reason: 'role_missing' });
    assert.equal((await attempt({ path: '/admin', token: { claims: { realm_access: { roles: ['admin'] } } } })).status, 200);
    assert.equal((await attempt({ path: '/admin', token: { claims: { resource_access: { 'orders-api': { roles: ['approver'] } } } } })).status, 200);
    refused(await attempt({ path: '/admin', token: { claims: { resource_access: { other: { roles: ['approver'] } } } } }), { status: 403, reason: 'role_missing' });
  });

  it('route denied, whoever asks', async () => {
    refused(await attempt({ path: '/closed/door' }), { status: 403, reason: 'route_denied' });
    refused(await send(`${holdfast.origin}/closed`), { status: 403, reason: 'route_denied' });
  });

  it('a public route asks nothing, and is told nothing from outside', async () => {
    const answer = await send(`${holdfast.origin}/healthz`, { headers: [['X-Auth-Subject', 'mallory'], ['x_auth_roles', 'admin'], ['Connection', 'X-Auth-Email'], ['X-Auth-Email', 'm@example.com']] });
    assert.equal(answer.status, 200);
    assert.deepEqual(Object.keys(answer.json.headers).filter((name) => /^x.auth/.test(name)), []);
  });
});

describe('the request', () => {
  const authorized = only(['Authorization', 'DPoP TOKEN'], ['Authorization', 'DPoP TOKEN'], ['DPoP', 'PROOF']);
  const cases = {
    'two credentials': [authorized, { status: 400, error: 'invalid_request', reason: 'authorization_multiple' }],
    'Authorization without a token': [only(['Authorization', 'DPoP'], ['DPoP', 'PROOF']), { status: 400, error: 'invalid_request', reason: 'authorization_malformed' }],
    'Authorization with two words': [only(['Authorization', 'DPoP TOKEN TOKEN'], ['DPoP', 'PROOF']), { status: 400, error: 'invalid_request', reason: 'authorization_malformed' }],
    'another host': [{ host: 'elsewhere.example' }, { status: 421, reason: 'origin_unknown' }],
    'no route': [{ path: '/nowhere' }, { status: 404, reason: 'no_route' }],
    'a path that another reading takes to another route': [{ path: '/orders/..%2fadmin' }, { status: 400, reason: 'request_malformed' }],
    'a path that climbs above the root': [{ headers: () => [], path: '/%2e%2e/%2e%2e/orders' }, { status: 400, reason: 'request_malformed' }],
    'the backend away': [{ path: '/gone' }, { status: 502, reason: 'upstream_unavailable' }],
    'the backend too slow': [{ path: '/slow' }, { status: 504, reason: 'upstream_timeout' }],
  };
  for (const [name, [change, expected]] of Object.entries(cases)) {
    it(`${name}: ${expected.status} ${expected.reason}`, async () => refused(await attempt(change), expected));
  }

  it('TRACE: 405 with Allow', async () => {
    const answer = await attempt({ method: 'TRACE' });
    assert.equal(answer.status, 405);
    assert.ok(answer.headers.allow);
  });

  const host = () => `Host: localhost:${holdfast.port}\r\n`;
  const raw = {
    'CONNECT': [() => `CONNECT localhost:${holdfast.port} HTTP/1.1\r\n${host()}\r\n`, 405],
    'both lengths': [() => `POST /healthz HTTP/1.1\r\n${host()}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n${host()}\r\n`, 400],
    'two lengths': [() => `POST /healthz HTTP/1.1\r\n${host()}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, 400],
    'bare LF': [() => `GET /healthz HTTP/1.1\n${host()}\n`, 400],
    'a bare LF in a field': [() => `GET /healthz HTTP/1.1\r\n${host()}X: a\nY: b\r\n\r\n`, 400],
    'a bare CR': [() => `GET /healthz HTTP/1.1\r\n${host()}X: a\rb\r\n\r\n`, 400],
    'a folded field': [() => `GET /healthz HTTP/1.1\r\n${host()}X: a\r\n b\r\n\r\n`, 400],
    'a space before the colon': [() => `GET /healthz HTTP/1.1\r\n${host()}X : a\r\n\r\n`, 400],
    'two Hosts': [() => `GET /healthz HTTP/1.1\r\n${host()}${host()}\r\n`, 400],
    'no Host': [() => 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    'an odd Host': [() => 'GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    'Host against an absolute target': [() => `GET https://localhost:${holdfast.port}/healthz HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n`, 400],
    'HTTP/3.0': [() => `GET /healthz HTTP/3.0\r\n${host()}\r\n`, 505],
    'a field of 100 KiB': [() => `GET /healthz HTTP/1.1\r\n${host()}X: ${'a'.repeat(100 * 1024)}\r\n\r\n`, 431],
    'a thousand fields': [() => `GET /healthz HTTP/1.1\r\n${host()}${'X: a\r\n'.repeat(1000)}\r\n`, 431],
    'a transfer coding that we do not know': [() => `POST /healthz HTTP/1.1\r\n${host()}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n`, 501],
    'one beside chunked': [() => `POST /healthz HTTP/1.1\r\n${host()}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 400],
  };
  for (const [name, [bytes, status]] of Object.entries(raw)) {
    it(`${name}: ${status}, and the connection ends`, async () => {
      const answer = await sendRaw(holdfast.port, bytes());
      assert.equal(answer.status, status, answer.body);
      const reason = { 400: 'request_malformed', 431: 'headers_too_large' }[status];
      if (reason) assert.equal(answer.json.reason, reason);
      assert.equal(answer.count, 1, 'what stands behind an ambiguous message is never taken for a request');
      if (status !== 405) assert.match(answer.headers.connection ?? '', /close/i);
    });
  }
});

describe('Holdfast itself', () => {
  it('issuer keys never loaded: 503 with Retry-After, alive and not ready', async () => {
    const [closedPort] = await freePorts(1);
    const alone = await startHoldfast({ issuer: `http://127.0.0.1:${closedPort}`, audience: 'orders-api', upstream: backend.url }, { probe: '/startupz' });
    try {
      const token = await issuer.token(alice.jkt, { claims: { iss: `http://127.0.0.1:${closedPort}` } });
      const proof = await makeProof(alice, 'GET', `${alone.origin}/orders`, token);
      const answer = await send(`${alone.origin}/orders`, { headers: [['Authorization', `DPoP ${token}`], ['DPoP', proof]] });
      refused(answer, { status: 503, reason: 'issuer_unavailable' });
      assert.match(answer.headers['retry-after'], /^\d+$/);
      assert.equal((await fetch(`${alone.probes}/livez`)).status, 200);
      assert.equal((await fetch(`${alone.probes}/readyz`)).status, 503);
    } finally {
      await alone.stop();
    }
  });

  it('one key beyond its share of the replay store: 429; another key still passes', async () => {
    const small = await startHoldfast({
      issuer: issuer.url, audience: 'orders-api', upstream: backend.url,
      dpop: { replay: { capacity: 1000, per_key: '1%' } },
    });
    try {
      const request = async (key) => {
        const token = await issuer.token(key.jkt);
        const proof = await makeProof(key, 'GET', `${small.origin}/orders`, token);
        return send(`${small.origin}/orders`, { headers: [['Authorization', `DPoP ${token}`], ['DPoP', proof]] });
      };
      const statuses = [];
      for (let i = 0; i < 10; i++) statuses.push((await request(alice)).status);
      assert.deepEqual(statuses, Array(10).fill(200));
      const answer = await request(alice);
      refused(answer, { status: 429, reason: 'key_quota' });
      assert.match(answer.headers['retry-after'], /^\d+$/);
      assert.equal((await request(await makeKey())).status, 200);
    } finally {
      await small.stop();
    }
  });

  it('replay store full: 503, and nothing that it holds is forgotten', async () => {
    const small = await startHoldfast({
      issuer: issuer.url, audience: 'orders-api', upstream: backend.url,
      dpop: { replay: { capacity: 1000, per_key: '100%' } },
    });
    try {
      const request = async (key) => {
        const token = await issuer.token(key.jkt);
        const proof = await makeProof(key, 'GET', `${small.origin}/orders`, token);
        const answer = await send(`${small.origin}/orders`, { headers: [['Authorization', `DPoP ${token}`], ['DPoP', proof]] });
        return Object.assign(answer, { token, proof });
      };
      const answers = [];
      for (let batch = 0; batch < 20; batch++) answers.push(...await Promise.all(Array.from({ length: 50 }, () => request(alice))));
      assert.deepEqual([...new Set(answers.map((each) => each.status))], [200]);
      // Another key, for this one has its share: all of it.
      const answer = await request(await makeKey());
      refused(answer, { status: 503, reason: 'replay_store_full' });
      assert.match(answer.headers['retry-after'], /^\d+$/);
      for (const { token, proof } of answers.filter((_, index) => index % 20 === 0)) {
        const again = await send(`${small.origin}/orders`, { headers: [['Authorization', `DPoP ${token}`], ['DPoP', proof]] });
        assert.equal(again.json.reason, 'proof_replayed');
      }
    } finally {
      await small.stop();
    }
  });

  it('its log has a line for each request and never a credential', async () => {
    const before = holdfast.running.output.length;
    const token = await issuer.token(alice.jkt);
    const proof = await makeProof(alice, 'GET', `${holdfast.origin}/orders`, token);
    await attempt({ path: '/orders?secret=1', token, proof });
    refused(await attempt({ path: '/orders?secret=1', token, proof }), bad('proof_replayed'));
    const deadline = Date.now() + 3000;
    let lines = [];
    while (lines.length < 2 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      lines = holdfast.running.output.slice(before).split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
        .filter((line) => line.path === '/orders');
    }
    assert.deepEqual(lines.map((line) => [line.method, line.route, line.status, line.decision !== undefined, line.reason || '']),
      [['GET', 'orders', 200, true, ''], ['GET', 'orders', 401, true, 'proof_replayed']]);
    assert.equal(lines[0].sub, 'alice');
    assert.equal(lines[0].jkt, alice.jkt);
    const log = holdfast.running.output;
    assert.ok(!log.includes('secret=1'), 'a query in the log');
    assert.ok(!log.includes(jose.decodeJwt(proof).jti), 'a jti in the log');
    // The first segment of every token and proof begins so.
    assert.ok(!/eyJ[\w-]{10}/.test(log), 'a token or a proof in the log');
  });
});
