// A browser with cookies and forms and nothing else: enough to log in where a person would.

import assert from 'node:assert/strict';

const entities = { '&amp;': '&', '&quot;': '"', '&#39;': "'", '&#x27;': "'", '&lt;': '<', '&gt;': '>', '&#x2F;': '/', '&#x3D;': '=' };
const decoded = (text) => text.replace(/&[#\w]+;/g, (entity) => entities[entity] ?? entity);
const attribute = (tag, name) => {
  const match = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag);
  return match ? decoded(match[1] ?? match[2]) : undefined;
};

/** Follows redirects and fills in forms from `url` on until it is sent to `callback`; gives that address, code and all. */
export async function logIn(url, callback, { username, password }) {
  const cookies = new Map();
  let request = { url: new URL(url), init: { method: 'GET' } };
  for (let step = 0; step < 15; step++) {
    const response = await fetch(request.url, {
      ...request.init,
      redirect: 'manual',
      headers: { ...request.init.headers, accept: 'text/html', cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value === '' || /max-age=0/i.test(cookie)) cookies.delete(name);
      else cookies.set(name, value);
    }
    if (response.status >= 300 && response.status < 400) {
      const location = new URL(response.headers.get('location'), request.url);
      if (location.href.startsWith(callback)) return location;
      request = { url: location, init: { method: 'GET' } };
      continue;
    }
    const page = await response.text();
    assert.equal(response.status, 200, `${request.url} answered ${response.status}: ${page.replace(/<style[\s\S]*?<\/style>|<[^>]+>/g, ' ').trim()}`);
    const form = [...page.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/gi)].map((match) => match[0])
      .find((candidate) => /post/i.test(attribute(candidate.slice(0, candidate.indexOf('>')), 'method') ?? ''));
    assert.ok(form, `no form to fill in at ${request.url}: ${page.slice(0, 2000)}`);
    const fields = new URLSearchParams();
    for (const [input] of form.matchAll(/<input\b[^>]*>/gi)) {
      const name = attribute(input, 'name');
      const type = (attribute(input, 'type') ?? 'text').toLowerCase();
      if (!name || type === 'checkbox' || type === 'submit') continue;
      if (type === 'password') fields.set(name, password);
      else if (name === 'username' || name === 'login') fields.set(name, username);
      else fields.set(name, attribute(input, 'value') ?? '');
    }
    const action = attribute(form.slice(0, form.indexOf('>')), 'action') ?? request.url.href;
    request = { url: new URL(action, request.url), init: { method: 'POST', body: fields } };
  }
  throw new Error(`still not at ${callback}`);
}
