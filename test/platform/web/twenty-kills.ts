// One download, struck twenty times at random points: pages closed, the browser killed, the network cut,
// answers cut short, wrong bytes. Small in the tests, large in the bench.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright';
import type { Fault, IllBehavedServer } from '../ill-behaved-server.ts';
import type { StandInModel } from '../stand-in-model.ts';
import type { InstallBrowser } from './install-browser.ts';

type Blow = 'close page' | 'kill browser' | 'cut network' | 'cut answer short' | 'wrong byte';

const BLOWS: readonly Blow[] = [
  ...Array<Blow>(8).fill('close page'),
  ...Array<Blow>(2).fill('kill browser'),
  ...Array<Blow>(4).fill('cut network'),
  ...Array<Blow>(4).fill('cut answer short'),
  ...Array<Blow>(2).fill('wrong byte'),
];

/** Goes through with it; the page that comes back holds the finished model, `extra` is the share fetched twice. */
export async function killTwentyTimes(
  model: StandInModel,
  server: IllBehavedServer,
  browser: InstallBrowser,
  seed: number,
): Promise<{ page: Page; outcome: unknown; extra: number }> {
  const random = seededRandom(seed);
  const { bytesPerSecond } = server;
  const places = BLOWS.map(() => random() * model.totalBytes).sort((a, b) => a - b);
  const blows = BLOWS.map((blow) => ({ blow, at: random() })).sort((a, b) => a.at - b.at);
  const open = (): Promise<Page> => browser.open(`${server.origin}/page`);
  const start = (): Promise<unknown> =>
    page.evaluate(`sotto.download('${server.origin}/model')`).catch(() => undefined);
  let page = await open();
  let running = start();
  for (const [index, { blow }] of blows.entries()) {
    while (server.sentBytes < places[index]!) await sleep(2);
    // Closing takes a page a while; what the server would send to a dying page is no fetching.
    server.bytesPerSecond = 0;
    if (blow === 'close page') await page.close();
    else if (blow === 'kill browser') await browser.kill();
    else server.cut();
    if (blow === 'cut answer short') failOnce(server, () => ({ type: 'end', afterBytes: 20_000 }));
    if (blow === 'wrong byte') failOnce(server, (startByte) => ({ type: 'wrong', atByte: startByte }));
    server.bytesPerSecond = bytesPerSecond;
    if (blow !== 'close page' && blow !== 'kill browser') continue;
    page = await open();
    running = start();
  }
  const outcome = await running;
  return { page, outcome, extra: server.sentBytes / model.totalBytes - 1 };
}

/** The next answer for a shard goes wrong. */
function failOnce(server: IllBehavedServer, fault: (startByte: number) => Fault): void {
  server.fault = ({ path, startByte }) => {
    if (!path.startsWith('weights')) return undefined;
    server.fault = () => undefined;
    return fault(startByte);
  };
}

/** Numbers in [0, 1) that are the same every time. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
