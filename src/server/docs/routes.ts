// /docs: the API's description with a page to try it; nothing of it comes from another host.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Hono } from 'hono';
import { REVALIDATE, fileResponse } from '../file-response.ts';
import { addSecurityHeaders } from '../headers.ts';
import { openApiDocument } from './openapi.ts';

/** Files of Swagger UI that the page loads. */
const PARTS = ['swagger-ui.css', 'swagger-ui-bundle.js'];

/** Swagger UI puts styles into its markup and small pictures into its styles; it talks to this server alone. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sotto: the API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const START = "SwaggerUIBundle({ url: 'openapi.json', dom_id: '#api', tryItOutEnabled: true });\n";

export function docsRoutes(version: string): Hono {
  const routes = new Hono();
  let description: object | undefined;
  routes.get('/openapi.json', (c) => c.json((description ??= openApiDocument(version))));
  routes.get('/docs', () => page());
  routes.get('/docs/start.js', (c) =>
    c.body(START, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }),
  );
  routes.get('/docs/:part', async (c) => {
    const part = c.req.param('part');
    if (!PARTS.includes(part)) return c.notFound();
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    return (await fileResponse(c.req.raw, join(folder, part), { cacheControl: REVALIDATE })) ?? c.notFound();
  });
  return routes;
}

function page(): Response {
  const headers = new Headers({
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': DOCS_POLICY,
  });
  addSecurityHeaders(headers, 'page');
  return new Response(PAGE, { headers });
}
