// Every address of the server. Handlers are functions from Request to Response: tests call them without a port.

import { Hono } from 'hono';
import { addSecurityHeaders } from './headers.ts';
import type { ModelShelf } from './model-shelf.ts';
import { modelRoutes, pageRoutes } from './page-files.ts';

export interface ServerParts {
  readonly version: string;
  readonly pageDir: string;
  readonly shelf: ModelShelf;
}

export function createApp({ version, pageDir, shelf }: ServerParts): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    addSecurityHeaders(c.res.headers, 'data');
  });
  app.get('/healthz', async (c) => {
    const models = await shelf.list();
    c.header('Cache-Control', 'no-store');
    return c.json({ status: 'ok', version, models: models.map(({ id }) => id) });
  });
  app.route('/models', modelRoutes(shelf));
  app.route('/', pageRoutes(pageDir));
  app.notFound((c) => c.text('There is nothing at this address.\n', 404));
  return app;
}
