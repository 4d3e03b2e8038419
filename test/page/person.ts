// A person's browser and what they do in it, for tests that drive the built page.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BrowserContext, chromium, expect, type Page } from 'playwright/test';
import { ROOT } from '../../scripts/prepare.mjs';
import { CHROMIUM_ARGUMENTS, CHROMIUM_PATH } from '../chromium.ts';

export const BUILT_PAGE = join(ROOT, 'dist/page');
export const CLIPS = resolve(ROOT, 'public/clips');

/** What is said in a clip that ships with the page. */
export function textOf(clip: string): string {
  return readFileSync(join(CLIPS, `${clip}.txt`), 'utf8').trim();
}

/** A profile of its own: with the same one, a browser that is started again knows what it stored. */
export class Person {
  readonly #profile: string;
  #browser: BrowserContext | undefined;

  private constructor(profile: string) {
    this.#profile = profile;
  }

  static async arrive(): Promise<Person> {
    return new Person(await mkdtemp(join(tmpdir(), 'sotto-profile-')));
  }

  /** Starts the browser, which was closed or never open, and returns an empty tab. */
  async openBrowser(extraArgs: readonly string[] = []): Promise<Page> {
    this.#browser = await chromium.launchPersistentContext(this.#profile, {
      ...(CHROMIUM_PATH !== undefined && { executablePath: CHROMIUM_PATH }),
      locale: 'en-US',
      args: [...CHROMIUM_ARGUMENTS, ...extraArgs],
    });
    this.#browser.setDefaultTimeout(120_000);
    return this.#browser.pages()[0] ?? (await this.#browser.newPage());
  }

  get browser(): BrowserContext {
    if (this.#browser === undefined) throw new Error('the browser is open');
    return this.#browser;
  }

  async closeBrowser(): Promise<void> {
    await this.#browser?.close();
    this.#browser = undefined;
  }

  async leave(): Promise<void> {
    await this.closeBrowser();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Everything that the page's policy refused, and every error of the page's scripts. */
export function watchRefusals(page: Page): string[] {
  const refusals: string[] = [];
  page.on('pageerror', (error) => refusals.push(error.message));
  page.on('console', (message) => {
    if (
      /Content.Security.Policy|TrustedScript|TrustedHTML|Trusted Type|Cross-Origin|blocked/i.test(
        message.text(),
      )
    )
      refusals.push(message.text());
  });
  return refusals;
}

/** Opens recordings as with the file picker. */
export async function openRecordings(page: Page, files: readonly string[]): Promise<void> {
  await page.locator('#open-recordings').setInputFiles([...files]);
}

/** The text that the page shows, once it is this text. */
export async function expectText(page: Page, text: string): Promise<void> {
  await expect(page.getByRole('main')).toContainText(text, { timeout: 120_000 });
}

/** Waits until everything is kept that is needed without a network, as the page itself says. */
export async function waitUntilKept(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'On this device' }).click();
  await expect(page.getByText('Sotto starts and reads without a network')).toBeVisible({ timeout: 120_000 });
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
}
