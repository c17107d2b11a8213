// A real Keycloak with the realm `demo`, from the same script and the same realm file as the demonstration.

import { fileURLToPath } from 'node:url';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as client from 'openid-client';
import { logIn } from './browser.mjs';
import { answers, freePorts, start } from './process.mjs';

const script = fileURLToPath(new URL('../../../deploy/keycloak.sh', import.meta.url));

/** Why the tests with this version cannot run here, or false. run.sh downloads, and fails where CI is set. */
export function missing(version) {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast', `keycloak-${version}`);
  return existsSync(cache) ? false : `Keycloak ${version} could not be downloaded`;
}

export async function startKeycloak(version) {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const running = start(`keycloak ${version}`, 'bash', [script, 'run', version, String(port)]);
  const issuer = `${url}/realms/demo`;
  await answers(running, `${issuer}/.well-known/openid-configuration`, 180);
  return { url, issuer, tokenEndpoint: `${issuer}/protocol/openid-connect/token`, stop: () => running.stop() };
}

export const people = {
  alice: { username: 'alice', password: 'alice-demo-password' },
  bob: { username: 'bob', password: 'bob-demo-password' },
};

/** openid-client's view of the public client, over plain HTTP on loopback. */
export function discover(issuer, clientId, authentication = client.None()) {
  return client.discovery(new URL(issuer), clientId, undefined, authentication, { execute: [client.allowInsecureRequests] });
}

/** The code grant with PKCE and DPoP: through the login form, as a person would. */
export async function codeGrant(configuration, handle, person, parameters = {}) {
  const redirectUri = 'http://127.0.0.1/callback';
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const address = client.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: 'openid orders:read',
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  const callback = await logIn(address, redirectUri, person);
  return client.authorizationCodeGrant(configuration, callback, { pkceCodeVerifier: verifier, expectedState: state },
    parameters.resource ? { resource: parameters.resource } : undefined, { DPoP: handle });
}

/** Keycloak's admin API, as the administrator of the master realm. */
export class Administrator {
  constructor(keycloak) {
    this.keycloak = keycloak;
  }

  async call(method, path, body) {
    const login = await fetch(`${this.keycloak.url}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' }),
    });
    const { access_token: token } = await login.json();
    const response = await fetch(`${this.keycloak.url}/admin/realms/demo${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 200 ? response.json() : undefined;
  }

  async changeClient(clientId, changes) {
    const [found] = await this.call('GET', `/clients?clientId=${clientId}`);
    const attributes = { ...found.attributes, ...changes.attributes };
    await this.call('PUT', `/clients/${found.id}`, { ...found, ...changes, attributes });
  }

  /** Adds an RSA key that signs from now on; keys of before stay published. Gives the component's id. */
  async rotate(priority) {
    const realm = await this.call('GET', '');
    const name = `rotated-${priority}`;
    await this.call('POST', '/components', {
      name,
      providerId: 'rsa-generated',
      providerType: 'org.keycloak.keys.KeyProvider',
      parentId: realm.id,
      config: { priority: [String(priority)], enabled: ['true'], active: ['true'], keySize: ['2048'], algorithm: ['RS256'] },
    });
    const components = await this.call('GET', `/components?type=org.keycloak.keys.KeyProvider&name=${name}`);
    return components[0];
  }

  /** Withdraws a key: it is published no more. */
  async withdraw(component) {
    const config = { ...component.config, enabled: ['false'], active: ['false'] };
    await this.call('PUT', `/components/${component.id}`, { ...component, config });
  }
}
