// Every address of the server. Handlers are functions from Request to Response: tests call them without a port.

import { type Context, Hono } from 'hono';
import { routePath } from 'hono/route';
import type { Logger } from 'pino';
import { type Guard, guarded } from './access/guard.ts';
import type { RateLimit } from './access/rate-limit.ts';
import { setAsker } from './asker.ts';
import { describedMethods } from './docs/methods.ts';
import type { Decoders } from '../platform/node/decode-client.ts';
import { docsRoutes } from './docs/routes.ts';
import type { EnginePool } from './engine-pool.ts';
import { gradioRoutes } from './gradio/routes.ts';
import type { GradioSessions } from './gradio/sessions.ts';
import { addSecurityHeaders } from './headers.ts';
import type { Jobs } from './jobs.ts';
import { lineRoutes } from './lines.ts';
import type { Metrics } from './metrics.ts';
import type { ModelShelf } from './model-shelf.ts';
import { openAiError, openAiRoutes } from './openai/routes.ts';
import { modelRoutes, pageRoutes } from './page-files.ts';
import { MethodError } from './refusal.ts';
import { soundRoutes } from './sound.ts';
import type { UploadFolder } from './uploads.ts';

export interface ServerParts {
  readonly version: string;
  readonly pageDir: string;
  readonly shelf: ModelShelf;
  readonly pool: EnginePool;
  readonly decoders: Decoders;
  readonly jobs: Jobs;
  readonly gradio: GradioSessions;
  readonly uploads: UploadFolder;
  readonly metrics: Metrics;
  readonly guard: Guard;
  readonly rate: RateLimit;
  readonly log: Logger;
  /** Where a request came from. */
  readonly addressOf: (c: Context) => string;
}

export function createApp(parts: ServerParts): Hono {
  const { log } = parts;
  const app = new Hono();
  const onBug = (id: string, error: unknown): void => log.error({ bug: id, err: error }, 'a bug');
  app.use(told(parts));
  app.use(guarded(parts.guard, parts.rate, parts.addressOf, setAsker));
  const methodsOf = describedMethods();
  app.use(async (c, next) => {
    const methods = methodsOf(c.req.path);
    if (methods === undefined || methods.includes(c.req.method)) return next();
    throw new MethodError(c.req.method, methods);
  });
  app.get('/healthz', (c) => health(c, parts));
  app.get('/metrics', async (c) => {
    const { registry } = parts.metrics;
    return c.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType });
  });
  app.route('/', docsRoutes(parts.version));
  app.route('/v1', openAiRoutes({ ...parts, onBug }));
  app.route('/api', lineRoutes({ ...parts, onBug }));
  app.route('/api', soundRoutes({ ...parts, onBug }));
  app.route('/', gradioRoutes({ ...parts, onBug }));
  app.route('/models', modelRoutes(parts.shelf));
  app.route('/', pageRoutes(parts.pageDir));
  app.notFound((c) => c.text('There is nothing at this address.\n', 404));
  // In front of the dialects (host, origin, key) nobody knows yet which one is spoken; this shape serves most.
  app.onError((error) => openAiError(error, onBug));
  return app;
}

/** A number for every request, the headers of every answer, a line in the log. Never a word of what was said. */
function told({ log, metrics }: ServerParts): (c: Context, next: () => Promise<void>) => Promise<void> {
  return async (c, next) => {
    const startMs = performance.now();
    const id = crypto.randomUUID();
    await next();
    c.res.headers.set('X-Request-Id', id);
    addSecurityHeaders(c.res.headers, 'data');
    const route = routeOf(c);
    metrics.requestDone(route, c.res.status);
    const ms = Math.round(performance.now() - startMs);
    log.info({ request: id, method: c.req.method, route, status: c.res.status, ms }, 'request');
  };
}

/** The pattern, not the address: addresses may hold names of files and of sessions. */
function routeOf(c: Context): string {
  const pattern = routePath(c, -1);
  return pattern === '/*' ? 'page' : pattern;
}

async function health(c: Context, { version, shelf, pool, jobs }: ServerParts): Promise<Response> {
  const [models, loaded] = [await shelf.list(), await pool.loaded()];
  const line = await jobs.sharedLine?.counts().catch(() => 'unreachable' as const);
  c.header('Cache-Control', 'no-store');
  return c.json({
    status: jobs.stopping ? 'stopping' : 'ok',
    version,
    protocol: 1,
    models: models.map(({ id }) => id),
    loaded: loaded.map(({ model, info }) => ({ model, device: info.device, provider: info.provider })),
    ...jobs.load,
    ...(line !== undefined && { sharedLine: line }),
  });
}
