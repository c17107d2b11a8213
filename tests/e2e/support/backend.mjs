// A backend that knows nothing of tokens: it says what arrived. /slow answers late.

import { once } from 'node:events';
import { createServer } from 'node:http';

export async function startBackend() {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    const body = [];
    request.on('data', (chunk) => body.push(chunk));
    request.on('end', () => {
      const answer = JSON.stringify({
        method: request.method,
        target: request.url,
        headers: request.headers,
        body: Buffer.concat(body).toString(),
      });
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(answer);
      }, request.url.startsWith('/slow') ? 3000 : 0);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests: () => requests,
    stop: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}
