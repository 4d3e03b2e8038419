// The page and the weights, for browsers.

import { Hono } from 'hono';
import { join, resolve, sep } from 'node:path';
import { IMMUTABLE, REVALIDATE, fileResponse } from './file-response.ts';
import { addSecurityHeaders } from './headers.ts';
import { MANIFEST_PATH } from '../model/manifest.ts';
import { type ModelShelf, fileOf, offersOf } from './model-shelf.ts';

/** `/models/models.json`, `/models/<id>/manifest.json`, `/models/<id>/<file>`. */
export function modelRoutes(shelf: ModelShelf): Hono {
  const routes = new Hono();
  routes.get('/models.json', async (c) => c.json(offersOf(await shelf.list())));
  routes.get('/:id/:file', async (c) => {
    const model = await shelf.find(c.req.param('id'));
    const file = model && fileOf(model, c.req.param('file'));
    if (file === undefined) return c.notFound();
    const changes = c.req.param('file') === MANIFEST_PATH;
    const response = await fileResponse(c.req.raw, file.path, {
      cacheControl: changes ? REVALIDATE : IMMUTABLE,
      ...(file.sha256 !== undefined && { etag: `"${file.sha256}"` }),
    });
    return response ?? c.notFound();
  });
  return routes;
}

/** The built page. Addresses without a file get 404, not the page: it routes by hash. */
export function pageRoutes(pageDir: string): Hono {
  const root = resolve(pageDir);
  const routes = new Hono();
  routes.get('*', async (c) => {
    const path = pathIn(root, c.req.path);
    // Vite puts a hash into the names below assets/.
    const cacheControl = c.req.path.startsWith('/assets/') ? IMMUTABLE : REVALIDATE;
    const response = path && (await fileResponse(c.req.raw, path, { cacheControl }));
    if (!response) return c.notFound();
    addSecurityHeaders(response.headers, 'page');
    return response;
  });
  return routes;
}

/** The file that an address means, if it lies in `root` and is not hidden. */
function pathIn(root: string, address: string): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(address);
  } catch {
    return undefined;
  }
  if (name.includes('\0') || name.split('/').some((part) => part.startsWith('.'))) return undefined;
  const path = resolve(join(root, name.endsWith('/') ? `${name}index.html` : name));
  return path.startsWith(root + sep) ? path : undefined;
}
