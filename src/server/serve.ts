// START HERE. One process on one port: the page, the weights and every client.
//
//   request ─► guard (host, origin, key, rate) ─► a dialect ─► Jobs ─► FairQueue ─► EnginePool ─► a process per model
//   answer  ◄─ the dialect's own words          ◄─ events ◄──────────────────────────────────────┘
//
// With --queue, recordings go through a line that several servers share instead (shared/shared-line.ts).

import { getConnInfo } from '@hono/node-server/conninfo';
import { serve } from '@hono/node-server';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { createSecureContext } from 'node:tls';
import type { Context } from 'hono';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { AsrError } from '../errors.ts';
import { Decoders } from '../platform/node/decode-client.ts';
import { openEngine } from '../platform/node/open-engine.ts';
import { Guard } from './access/guard.ts';
import { KeyRing, hashKeys, readKeyFile } from './access/keys.ts';
import { RateLimit } from './access/rate-limit.ts';
import { type ServerParts, createApp } from './app.ts';
import type { Settings } from './config.ts';
import { EnginePool, type PoolEvent } from './engine-pool.ts';
import { FairQueue } from './fair-queue.ts';
import { GradioSessions } from './gradio/sessions.ts';
import { Jobs } from './jobs.ts';
import { Metrics } from './metrics.ts';
import { ModelShelf } from './model-shelf.ts';
import type { HandParts } from './shared/hand.ts';
import { serveSockets } from './sockets.ts';
import { UploadFolder } from './uploads.ts';

/** Threads that decode recordings: one for two cores, and no more than the fastest card needs. */
const MAX_DECODERS = 4;
/** A second of sound takes milliseconds to decode. */
const DECODE_PATIENCE_MS = 30_000;

export interface ServerPlaces {
  /** The built page (dist/page). */
  readonly pageDir: string;
  /** The sample model that ships with Sotto. */
  readonly sampleDir: string;
  readonly version: string;
}

export interface RunningServer {
  /** What a person types: `http://localhost:7860`. */
  readonly address: string;
  readonly parts: ServerParts;
  /** Settles when the model is loaded, or why not. */
  readonly warm: Promise<string>;
  /** Takes no new requests, lets those under way end, and goes. */
  close(): Promise<void>;
}

/** Starts the server. Fails with `port-taken` (naming a port that is free), `port-refused`, `keys-needed`, `option-invalid`. */
export async function startServer(settings: Settings, places: ServerPlaces): Promise<RunningServer> {
  const log = pino({ level: settings.log, base: null }, pino.destination({ dest: 2, sync: true }));
  const keys = await keysOf(settings);
  const parts = await assemble(settings, places, keys, log);
  let server: Server;
  try {
    server = await listen(createApp(parts).fetch, settings);
  } catch (error) {
    await parts.jobs.close(0);
    await parts.uploads.close();
    throw error;
  }
  const sockets = serveSockets(server, parts);
  const { port } = server.address() as AddressInfo;
  const scheme = settings.tlsCert === undefined ? 'http' : 'https';
  return {
    address: `${scheme}://${nameOf(settings.host)}:${port}`,
    parts,
    warm: settings.warmUp ? warmUp(parts) : Promise.resolve(''),
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeIdleConnections();
      await parts.jobs.close(settings.grace * 1000);
      parts.gradio.close();
      sockets.close();
      // Answers are out; what is still connected only listens.
      setTimeout(() => server.closeAllConnections(), 200);
      await closed;
      await parts.uploads.close();
    },
  };
}

/** Everything but the port. */
export async function assemble(
  settings: Settings,
  { pageDir, sampleDir, version }: ServerPlaces,
  keys: KeyRing,
  log: Logger,
): Promise<ServerParts> {
  const named = { ...(settings.model !== undefined && namedModel(settings.model)), sample: sampleDir };
  const shelf = new ModelShelf({ named, libraries: settings.models === undefined ? [] : [settings.models] });
  const metrics = new Metrics();
  const { threads, seats, device, parallel } = settings;
  const pool = new EnginePool({
    start: ({ dir }) => openEngine({ modelDir: dir, seats, ...(threads && { threads }) }, device),
    maxModels: settings.maxModels,
    idleMs: settings.idleMinutes * 60_000,
    onEvent: (event) => tellOf(event, log, metrics),
  });
  const queue = new FairQueue({
    parallel,
    waiting: settings.waiting,
    waitingPerAsker: Math.min(settings.waiting, settings.waitingPerClient),
  });
  const decoders = new Decoders({
    threads: Math.max(1, Math.min(MAX_DECODERS, availableParallelism() >> 1)),
    patienceMs: DECODE_PATIENCE_MS,
  });
  const jobs = new Jobs({
    queue,
    pool,
    decoders,
    shelf,
    metrics,
    limits: { maxAudioSeconds: settings.maxAudioMinutes * 60, deadlineSeconds: settings.deadline },
    onWarning: ({ code, message }) => log.warn({ code }, message),
    // Programs that were written for another server name its model; here that means the server's own choice.
    aliases: { 'whisper-1': '', default: '' },
  });
  const uploads = await UploadFolder.open(settings.maxUploadMb * 1e6);
  try {
    await shareLine(settings, jobs, uploads);
  } catch (error) {
    await uploads.close();
    throw error;
  }
  return {
    version,
    pageDir,
    shelf,
    pool,
    decoders,
    jobs,
    uploads,
    metrics,
    gradio: new GradioSessions(jobs),
    guard: new Guard({ keys, hosts: settings.allowHost, origins: settings.allowOrigin }),
    rate: new RateLimit(settings.rate),
    log,
    addressOf,
  };
}

/** Joins the line that other servers share, if there is one. Fails with `queue-unreachable`. */
async function shareLine(settings: Settings, jobs: Jobs, uploads: UploadFolder): Promise<void> {
  const { queue: address, parallel, waiting, waitingPerClient, take = parallel } = settings;
  if (address === undefined) return;
  // Most servers stand alone: they do not even load what speaks with Redis.
  const { SharedLine } = await import('./shared/shared-line.ts');
  const { Hand } = await import('./shared/hand.ts');
  const limits = { waiting, waitingPerAsker: Math.min(waiting, waitingPerClient) };
  const line = await SharedLine.open(address, limits);
  try {
    const read: HandParts['read'] = (job, signal) => jobs.read(job, signal);
    const hand = take > 0 ? await Hand.open(address, { uploads, read, parallel: take }) : undefined;
    jobs.share(line, hand);
  } catch (error) {
    await line.close();
    throw error;
  }
}

/** A model given as a folder is called by the folder's name. */
function namedModel(dir: string): Record<string, string> {
  return { [dir.split(/[\\/]/).filter(Boolean).at(-1) ?? 'model']: dir };
}

/** Fails with `keys-needed` where the network could reach the server and nobody would be asked for a key. */
async function keysOf({ host, keyFile, apiKeys, insecure }: Settings): Promise<KeyRing> {
  const keys = new KeyRing([...(await readKeyFile(keyFile)), ...hashKeys(apiKeys ?? '')]);
  if (keys.isEmpty && !insecure && !isLoopback(host)) {
    throw new AsrError('keys-needed', `${host} can be reached from other machines, and there is no key`);
  }
  return keys;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function addressOf(c: Context): string {
  try {
    return getConnInfo(c).remote.address ?? 'unknown';
  } catch {
    return 'nobody'; // a test that calls the app without a connection
  }
}

function tellOf(event: PoolEvent, log: Logger, metrics: Metrics): void {
  switch (event.type) {
    case 'loaded':
      metrics.modelLoaded();
      log.info({ model: event.model, device: event.info.device, ms: Math.round(event.ms) }, 'model loaded');
      return;
    case 'unloaded':
      metrics.modelUnloaded();
      log.info({ model: event.model }, 'model unloaded');
      return;
    case 'failed':
      log.error({ model: event.model }, 'the model cannot be loaded');
      return;
    case 'died':
      metrics.modelUnloaded();
      metrics.engineDied();
      log.error({ model: event.model }, 'the engine died');
      return;
  }
}

/** Loads the first model. A server without a model still serves the page. */
async function warmUp({ shelf, pool, log }: ServerParts): Promise<string> {
  try {
    const [model] = await shelf.list();
    if (model === undefined) return 'there is no model yet';
    const info = await pool.warmUp(model);
    return `${info.modelName} on ${info.device}`;
  } catch (error) {
    log.error({ err: error }, 'the model cannot be loaded');
    return error instanceof Error ? error.message : String(error);
  }
}

type Fetch = (request: Request) => Response | Promise<Response>;

async function listen(fetch: Fetch, { host, port, tlsCert, tlsKey }: Settings): Promise<Server> {
  const secure = await certificate(tlsCert, tlsKey);
  return new Promise((resolve, reject) => {
    const options = { fetch, hostname: host, port };
    const server = (
      secure === undefined
        ? serve(options, () => resolve(server))
        : serve({ ...options, createServer: createSecureServer, serverOptions: secure }, () =>
            resolve(server),
          )
    ) as Server;
    server.once('error', (error: NodeJS.ErrnoException) => void refused(error, host, port).then(reject));
  });
}

async function certificate(
  certPath: string | undefined,
  keyPath: string | undefined,
): Promise<{ cert: Buffer; key: Buffer } | undefined> {
  if (certPath === undefined && keyPath === undefined) return undefined;
  if (certPath === undefined || keyPath === undefined) {
    throw new AsrError('option-invalid', 'TLS takes a certificate and its key (--tls-cert, --tls-key)');
  }
  try {
    const pair = { cert: await readFile(certPath), key: await readFile(keyPath) };
    createSecureContext(pair); // what is no certificate, or not this key's, fails here
    return pair;
  } catch (cause) {
    throw new AsrError('option-invalid', 'the certificate or its key cannot be used', { cause });
  }
}

async function refused(error: NodeJS.ErrnoException, host: string, port: number): Promise<AsrError> {
  if (error.code !== 'EADDRINUSE') {
    const message = `port ${port} of ${host} cannot be opened (${error.code})`;
    return new AsrError('port-refused', message, { cause: error });
  }
  const free = await freePort(host, port + 1);
  const advice = free === undefined ? '' : `; ${free} is free: --port ${free}`;
  return new AsrError('port-taken', `another program uses port ${port}${advice}`, { cause: error });
}

/** How many ports to look at for a free one. */
const PORTS_TO_TRY = 20;

async function freePort(host: string, first: number): Promise<number | undefined> {
  for (let port = first; port < Math.min(first + PORTS_TO_TRY, 65_536); port++) {
    if (await isFree(host, port)) return port;
  }
  return undefined;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

function nameOf(host: string): string {
  if (isLoopback(host) || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
