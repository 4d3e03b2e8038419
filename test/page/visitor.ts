// Someone who uses the page: opens it, clicks, reads what is there.

import {
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type JSHandle,
  type Page,
} from 'playwright';
import { expect, inject } from 'vitest';
import { CHROMIUM_ARGUMENTS, CHROMIUM_PATH } from '../chromium.ts';

const LAUNCH = {
  ...(CHROMIUM_PATH !== undefined && { executablePath: CHROMIUM_PATH }),
  args: CHROMIUM_ARGUMENTS,
};

/** Reading takes a while where the graphics card is imitated by a busy processor. */
const READ_MILLISECONDS = 400_000;

export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page threw or complained of. */
  readonly complaints: string[];
  leave(): Promise<void>;
}

export interface VisitOptions extends BrowserContextOptions {
  /** Where the browser keeps what the page stores, so that it outlives the browser. */
  readonly profile?: string;
  /** A WAV file that is played once into the microphone, from the moment that it is opened. */
  readonly spoken?: string;
  /** Another address than that of the page that is served for all tests. */
  readonly url?: string;
  /** A browser that has WebGPU and no adapter for it. */
  readonly withoutGpu?: boolean;
}

/** Opens a browser and the page in it. */
export async function visit(options: VisitOptions = {}): Promise<Visitor> {
  const { profile, spoken, url = inject('pageUrl'), withoutGpu = false, ...rest } = options;
  const microphone = [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${spoken}%noloop`,
  ];
  const launch = {
    ...LAUNCH,
    args: [
      ...LAUNCH.args.filter((arg) => !withoutGpu || !arg.includes('webgpu')),
      ...(spoken === undefined ? [] : microphone),
    ],
  };
  const wanted = { locale: 'en-US', viewport: { width: 1200, height: 800 }, ...rest };
  const browser = profile === undefined ? await chromium.launch(launch) : undefined;
  const context =
    browser === undefined
      ? await chromium.launchPersistentContext(profile ?? '', { ...launch, ...wanted })
      : await browser.newContext(wanted);
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('crash', () => complaints.push('the page crashed'));
  await page.goto(url);
  return {
    page,
    context,
    complaints,
    async leave() {
      await context.close();
      await browser?.close();
    },
  };
}

export interface DroppedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Drops files onto the page. */
export async function drop(page: Page, files: readonly DroppedFile[]): Promise<void> {
  const dataTransfer = await carry(page, files);
  for (const type of ['dragenter', 'dragover', 'drop'])
    await page.dispatchEvent('main', type, { dataTransfer });
}

/** Pastes files, as after copying them in a file manager. */
export async function paste(page: Page, files: readonly DroppedFile[]): Promise<void> {
  const carried = await carry(page, files);
  await carried.evaluate((clipboardData) =>
    document.body.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    ),
  );
}

function carry(page: Page, files: readonly DroppedFile[]): Promise<JSHandle<DataTransfer>> {
  const given = files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString('base64') }));
  return page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of list) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    return transfer;
  }, given);
}

/** Chooses how to compute, in the device card. */
export async function computeWith(page: Page, path: string): Promise<void> {
  await page
    .getByRole('contentinfo')
    .getByRole('button', { name: /processor|swiftshader/i })
    .click();
  const choice = page.getByLabel('Compute with');
  await choice.selectOption(path);
  expect(await choice.inputValue()).toBe(path);
  await page.keyboard.press('Escape');
  await choice.waitFor({ state: 'detached' });
}

/** Waits for the transcript that is open to be read to its end, and gives its passages. */
export async function readText(page: Page): Promise<string[]> {
  await page.getByText('Saved', { exact: true }).waitFor({ timeout: READ_MILLISECONDS });
  return passages(page);
}

/** The passages of the open transcript, as they are now. */
export function passages(page: Page): Promise<string[]> {
  return page.getByRole('textbox', { name: /^Text at/ }).allTextContents();
}

export async function goHome(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('heading', { name: 'Whisper. It stays here.' }).waitFor();
}
