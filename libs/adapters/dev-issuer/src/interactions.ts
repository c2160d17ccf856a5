import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider/lib/provider.js';
import { loginPage, page, PAGE_HEADERS } from './pages.js';
import type { DevPrincipal } from './principals.js';

const FORM_MAX_BYTES = 4096;

/** The one page that people see: who do you want to be? Answers true when the request was for it. */
export async function serveInteraction(
  provider: Provider,
  persons: readonly DevPrincipal[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const path = request.url?.split('?')[0] ?? '';
  if (!path.startsWith('/interaction/')) return false;
  if (request.method === 'GET') {
    await provider.interactionDetails(request, response);
    response.writeHead(200, PAGE_HEADERS).end(loginPage(path, persons));
  } else if (request.method === 'POST') {
    const form = await readForm(request);
    const person = persons.find(({ subject }) => subject === form?.get('subject'));
    if (!person) response.writeHead(400, PAGE_HEADERS).end(page('That did not work', '<p>There is no such person here.</p>'));
    else await provider.interactionFinished(request, response, { login: { accountId: person.subject } });
  } else {
    response.writeHead(405, { allow: 'GET, POST' }).end();
  }
  return true;
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > FORM_MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
