// Our loop beside @huggingface/transformers' own, in one browser on one machine: the same clip, as many words, models
// of the same size. It knows no GLM-ASR, so it reads with a Whisper of random weights (like_size_whisper.py): what it
// says is nonsense, what it costs is not.
//
//   python test/page/like_size_whisper.py build/whisper && npx tsx test/page/generation-loop.ts build/whisper

import { join } from 'node:path';
import { chromium, type Page } from 'playwright';
import { ensureBuilt, ROOT } from '../../scripts/prepare.mjs';
import { readSamples } from '../../src/eval/read-audio.ts';
import { CHROMIUM_PATH } from '../chromium.ts';
import { ISOLATED, makeBuiltSite } from './built-site.ts';
import { startStaticHost } from './static-host.ts';

const ROUNDS = 7;
const CLIP = join(ROOT, 'public/clips/en_meeting-on-thursday.wav');
const [model = ''] = process.argv.slice(2);

/** When each word came, in ms after the recording was handed over. */
type Words = readonly number[];

const PEER = `<!doctype html><script type="module">
import { env, pipeline } from './peer/transformers.min.js';
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = './';
env.useBrowserCache = false;
env.backends.onnx.wasm.wasmPaths = new URL('./peer-ort/', location.href).href;
env.backends.onnx.wasm.numThreads = navigator.hardwareConcurrency;
const reader = await pipeline('automatic-speech-recognition', 'whisper', { device: 'wasm', dtype: 'fp32' });
window.read = async (samples, words) => {
  const times = [];
  const startMs = performance.now();
  const streamer = { put: () => times.push(performance.now() - startMs), end: () => undefined };
  const sound = Float32Array.from(samples);
  await reader(sound, { language: 'en', task: 'transcribe', max_new_tokens: words, streamer });
  return times.slice(1); // the first are the words of the prompt
};
</script>`;

async function readWithPeer(page: Page, samples: readonly number[], words: number): Promise<Words> {
  return page.evaluate(
    ([sound, count]) =>
      (window as unknown as { read(sound: readonly number[], words: number): Promise<number[]> }).read(
        sound,
        count,
      ),
    [samples, words] as const,
  );
}

async function readWithOurs(page: Page): Promise<Words> {
  await page.getByRole('link', { name: 'Home' }).click();
  await page.evaluate(() => (location.hash = '#/lab'));
  await page.locator('.lab input[type="file"]').setInputFiles(CLIP);
  await page.getByRole('button', { name: 'Save the session' }).waitFor();
  const texts = await page.locator('.tokens .numbers.soft').allTextContents();
  return texts.map((text) => Number(/\d+/.exec(text)?.[0]));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function report(name: string, rounds: readonly Words[]): { firstMs: number; perSecond: number } {
  const firstMs = median(rounds.map((words) => words[0] ?? NaN));
  const perSecond = median(
    rounds.map((words) => (1000 * (words.length - 1)) / ((words.at(-1) ?? NaN) - (words[0] ?? NaN))),
  );
  console.log(
    `${name}: first word after ${firstMs.toFixed(0)} ms, then ${perSecond.toFixed(0)} words per second`,
  );
  return { firstMs, perSecond };
}

ensureBuilt('page');
const peer = join(ROOT, 'node_modules/@huggingface/transformers');
const site = await makeBuiltSite({
  peer: join(peer, 'dist'),
  'peer-ort': join(peer, 'node_modules/onnxruntime-web/dist'),
  whisper: model,
});
const host = await startStaticHost(site.folder, ISOLATED);
host.published.set('peer.html', PEER);
const browser = await chromium.launch({
  ...(CHROMIUM_PATH !== undefined && { executablePath: CHROMIUM_PATH }),
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const context = await browser.newContext({ locale: 'en-US' });
  const ours = await context.newPage();
  await ours.goto(host.address);
  const theirs = await context.newPage();
  theirs.on('pageerror', (error) => console.log(error.message));
  await theirs.goto(`${host.address}peer.html`);
  await theirs.waitForFunction(() => 'read' in window);
  const samples = [...(await readSamples(CLIP))];
  const rounds: { ours: Words; theirs: Words }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    await ours.bringToFront();
    const own = await readWithOurs(ours);
    await theirs.bringToFront();
    const other = await readWithPeer(theirs, samples, own.length);
    // The first round compiles.
    if (round > 0) rounds.push({ ours: own, theirs: other });
  }
  console.log(`Chromium ${browser.version()}, ${rounds[0]?.ours.length} words, ${ROUNDS} rounds by turns`);
  const us = report(
    'Sotto',
    rounds.map((round) => round.ours),
  );
  const them = report(
    '@huggingface/transformers',
    rounds.map((round) => round.theirs),
  );
  console.log(
    `first word ${(them.firstMs / us.firstMs).toFixed(2)} times as soon, words ${(us.perSecond / them.perSecond).toFixed(2)} times as fast`,
  );
} finally {
  await browser.close();
  await host.switchOff();
  await site.remove();
}
