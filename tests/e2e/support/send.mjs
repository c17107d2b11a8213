// Requests as a client may send them and as no library would: any header, twice if need be, and raw bytes.

import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';

const agent = new Agent({ keepAlive: true, maxSockets: 128 });

/** Sends one request; `headers` is a list of [name, value]. */
export function send(url, { method = 'GET', headers = [], body, host } = {}) {
  // Not through new URL alone: it would tidy up the very path that the test is about.
  const [, authority, path] = /^https:\/\/([^/]+)(\/.*)$/.exec(url);
  const { hostname, port } = new URL(`https://${authority}`);
  const fields = [['Host', host ?? authority], ...headers];
  if (body !== undefined) fields.push(['Content-Length', String(Buffer.byteLength(body))]);
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ hostname, port, path, servername: 'localhost', method, agent, setHost: false, headers: fields.flat() }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(new Answer(response.statusCode, response.headers, Buffer.concat(chunks).toString())));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Writes bytes over TLS and reads until the other side closes; gives every answer that came. */
export function sendRaw(port, bytes, { seconds = 5 } = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: 'localhost', servername: 'localhost', ALPNProtocols: ['http/1.1'] });
    const chunks = [];
    socket.setTimeout(seconds * 1000, () => socket.destroy(new Error('the connection was left open')));
    socket.on('secureConnect', () => socket.write(bytes));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error) => (error.code === 'ECONNRESET' && chunks.length ? undefined : reject(error)));
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString();
      const [head, ...rest] = text.split('\r\n\r\n');
      const lines = head.split('\r\n');
      const headers = Object.fromEntries(lines.slice(1).map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }));
      const answer = new Answer(Number(lines[0].split(' ')[1]), headers, rest.join('\r\n\r\n'));
      answer.count = (text.match(/^HTTP\/1\.1 \d\d\d /gm) ?? []).length;
      resolve(answer);
    });
  });
}

class Answer {
  constructor(status, headers, body) {
    Object.assign(this, { status, headers, body });
  }

  get json() {
    return JSON.parse(this.body);
  }
}
