// A server in a process of its own, on a model folder: node --import tsx serve-process.ts FOLDER SETTINGS

import { mergeSettings } from '../../src/server/config.ts';
import { startServer } from '../../src/server/serve.ts';

const [dir = '', settings = '{}'] = process.argv.slice(2);
const given = JSON.parse(settings) as Record<string, unknown>;
const places = { pageDir: dir, sampleDir: dir, version: '1.2.3' };
const server = await startServer(mergeSettings({ log: 'silent', keyFile: '/nowhere' }, given), places);
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));
await server.warm;
process.stdout.write(`${server.address.replace('localhost', '127.0.0.1')}\n`);
