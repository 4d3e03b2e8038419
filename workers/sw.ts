// The offline shell: keeps the page, answers for it without a network, and says what the page may do where
// the host cannot say it. Knows nothing of models but the sample: weights go past it.

import { PrecacheController } from 'workbox-precaching';
import { openedOrigins } from '../src/platform/web/opened-origins.ts';
import { contentPolicy, pageHeaders } from '../src/wire/page-policy.ts';
import { type FromShell, SHARE_PATH, type ToShell } from '../src/wire/shell-messages.ts';
import { unreachable } from '../src/errors.ts';
import { isKit, Kit } from './shell/kit.ts';
import { receiveShared } from './shell/sharing.ts';
import type { BuiltFile } from './shell/versioned.ts';

const worker = globalThis as unknown as ServiceWorkerGlobalScope & typeof globalThis;

/** Put in by the build: every file of the page. */
const built = (self as unknown as { __WB_MANIFEST: BuiltFile[] }).__WB_MANIFEST;

const scope = worker.registration.scope;
const kit = new Kit(built.filter(isKit), scope);
const shell = new PrecacheController({ cacheName: `sotto-shell:${scope}` });
shell.addToCacheList(built.filter((file) => !isKit(file)).map((file) => ({ ...file })));

worker.addEventListener('install', (event) => {
  event.waitUntil(Promise.all([shell.install(event), kit.renew()]));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([shell.activate(event), kit.tidy(), worker.clients.claim()]));
});

worker.addEventListener('message', (event) => {
  const message = event.data as ToShell;
  switch (message.type) {
    case 'take-over':
      return event.waitUntil(worker.skipWaiting());
    case 'keep-kit':
      return event.waitUntil(keepKit(message.build, event.source));
    default:
      return unreachable(message);
  }
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const address = `${url.origin}${url.pathname}`;
  const asked = { request, waitUntil: (work: Promise<unknown>) => event.waitUntil(work) };
  if (!address.startsWith(scope)) return;
  if (request.method === 'POST' && address === new URL(SHARE_PATH, scope).href)
    event.respondWith(receiveShared(request, scope));
  else if (request.method !== 'GET') return;
  else if (request.mode === 'navigate' && [scope, `${scope}index.html`].includes(address))
    event.respondWith(answerWithPage(request));
  else if (kit.has(address)) event.respondWith(kit.answer(asked, address).then(sealed(request)));
  else if (shell.getCacheKeyForURL(address) !== undefined)
    event.respondWith(answerFromShell(request, address).then(sealed(request)));
});

async function answerFromShell(request: Request, address: string): Promise<Response> {
  return (await shell.matchPrecache(address)) ?? fetch(request);
}

/** The page, under the policy that the user has made of it. */
async function answerWithPage(request: Request): Promise<Response> {
  const kept = await shell.matchPrecache(`${scope}index.html`);
  if (kept === undefined) return fetch(request);
  const opened = await openedOrigins();
  const html = (await kept.text()).replace(inMarkup(contentPolicy()), inMarkup(contentPolicy(opened)));
  const headers = { 'Content-Type': 'text/html; charset=utf-8', ...pageHeaders(opened) };
  return new Response(html, { headers });
}

/** As the build writes it into index.html. */
function inMarkup(policy: string): string {
  return policy.replaceAll("'", '&#39;');
}

/** A thread takes its policy from the answer that its script came in. Other answers stay as they are. */
function sealed({ destination }: Request): (response: Response) => Promise<Response> {
  return async (response) => {
    if (!['worker', 'sharedworker', 'audioworklet'].includes(destination)) return response;
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(pageHeaders(await openedOrigins()))) headers.set(name, value);
    return new Response(response.body, { status: response.status, headers });
  };
}

async function keepKit(build: string, asker: ExtendableMessageEvent['source']): Promise<void> {
  const say = (message: FromShell): void => asker?.postMessage(message);
  const progress = { keptFiles: 0, totalFiles: 0 };
  try {
    await kit.keep(new Set([build]), (keptFiles, totalFiles) => {
      Object.assign(progress, { keptFiles, totalFiles });
      say({ type: 'kit', ...progress, failed: false });
    });
  } catch {
    // No network, or no room: what is kept stays, and the next visit goes on.
    say({ type: 'kit', ...progress, failed: true });
  }
}
