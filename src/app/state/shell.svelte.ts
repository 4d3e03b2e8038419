// The page as an app: kept for offline use, renewed when nobody works, opened by the system with files,
// sealed against the network save for addresses that the user opens.

import { AtWork, whenNobodyWorks } from '../../platform/web/at-work.ts';
import { chooseBuild } from '../../platform/web/choose-build.ts';
import { onOpenedWith, takeShared } from '../../platform/web/given-by-system.ts';
import { closeOrigin, openedOrigins, openOrigin } from '../../platform/web/opened-origins.ts';
import { ShellWorker } from '../../platform/web/shell-worker.ts';
import { mayFetch } from '../../wire/page-policy.ts';

/** How much of Sotto works without a network. */
export type Offline =
  /** Not asked yet, or there is nothing that could keep it. */
  { readonly at: 'unknown' } | { readonly at: 'keeping'; readonly share: number } | { readonly at: 'ready' };

/** A newer version of the page: none, here, or wished for and waiting until nobody works. */
export type Update = 'none' | 'here' | 'waiting';

/** What an address is wanted for. */
export type Purpose = 'model' | 'server';

/** An address that the user wants to reach, and for what. */
export interface AskedAddress {
  readonly address: string;
  readonly origin: string;
  readonly purpose: Purpose;
}

/** What the shell asks of the page that it is the shell of. */
export interface ShellPage {
  readonly busy: boolean;
  readonly provider: 'webgpu' | 'wasm';
  take(files: readonly File[]): void;
  /** Stores what is not stored yet. */
  flush(): Promise<void>;
  /** A shortcut of the app was chosen. */
  start(what: 'record' | 'open'): void;
  /** The address may be reached now. */
  goOn(address: string, purpose: Purpose): void;
  /** This browser cannot open the page for another address. */
  cannotOpen(origin: string): void;
}

/** Chromium's own; others have installing in their menus. */
interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

/** The page was loaded again to be isolated: never twice in a row. */
const RELOADED = 'sotto-reloaded-for-isolation';
/** What is to be gone on with once an address is open: `purpose address`. */
const WANTED = 'sotto-wanted-address';
/** So long after the start, what is needed offline may use the network. */
const SETTLE_MILLISECONDS = 2000;

export class Shell {
  offline = $state.raw<Offline>({ at: 'unknown' });
  update = $state.raw<Update>('none');
  /** Addresses that the user has opened. */
  opened = $state.raw<readonly string[]>([]);
  /** An address that the user wants to fetch from, and that is not open. */
  asking = $state.raw<AskedAddress | undefined>();
  canInstall = $state(false);
  readonly #page: ShellPage;
  readonly #atWork = new AtWork();
  #worker: ShellWorker | undefined;
  #install: InstallPrompt | undefined;
  #reloading = false;
  /** Another version answers for this page: it is loaded again as soon as it does not work. */
  #stale = false;
  /** Somebody has begun to use the page. */
  #touched = false;

  constructor(page: ShellPage) {
    this.#page = page;
  }

  /** Once, when the page stands. `base` is its address, with a slash at its end. */
  async start(base: string): Promise<void> {
    for (const type of ['pointerdown', 'keydown', 'drop', 'paste'])
      addEventListener(type, () => (this.#touched = true), { once: true, capture: true });
    this.#hearInstall();
    onOpenedWith((files) => this.#page.take(files));
    this.#followShortcut();
    this.opened = await openedOrigins();
    this.#worker = await ShellWorker.start(`${base}sw.js`, {
      onUpdate: () => (this.update = this.update === 'waiting' ? 'waiting' : 'here'),
      onTakenOver: (first) => void this.#takenOver(first),
      onKit: ({ keptFiles, totalFiles, failed }) => {
        if (failed) this.offline = { at: 'unknown' };
        else if (keptFiles === totalFiles) this.offline = { at: 'ready' };
        else this.offline = { at: 'keeping', share: keptFiles / totalFiles };
      },
    });
    const shared = await takeShared(base);
    if (shared.length > 0) this.#page.take(shared);
    this.#goOnWithWanted();
    setTimeout(() => void this.keepForOffline(), SETTLE_MILLISECONDS);
  }

  /** Takes note of whether something would be lost if the page were closed now. */
  work(busy: boolean): void {
    this.#atWork.set(busy);
    if (!busy && this.#stale) void this.#reload();
  }

  /** Keeps all that is needed without a network; a browser that saves data does so only bit by bit, as it is used. */
  async keepForOffline(): Promise<void> {
    const { connection } = navigator as { connection?: { readonly saveData?: boolean } };
    if (connection?.saveData !== true) await this.#worker?.keepKit(chooseBuild(this.#page.provider));
  }

  /** The new version, as soon as no tab works; all tabs then load it. */
  async renew(): Promise<void> {
    await this.#page.flush();
    await whenNobodyWorks(
      async () => this.#worker?.takeOver(),
      () => (this.update = 'waiting'),
    );
  }

  postponeUpdate(): void {
    this.update = 'none';
  }

  async install(): Promise<void> {
    const prompt = this.#install;
    this.#install = undefined;
    this.canInstall = false;
    await prompt?.prompt();
  }

  /** True where the page may fetch from `address`; else the user is asked whether to open it. */
  mayReach(address: string, purpose: Purpose): boolean {
    const url = URL.parse(address, location.href);
    const policy = document.querySelector<HTMLMetaElement>('meta[http-equiv="Content-Security-Policy"]');
    // While the page is being worked on there is no policy; what is no address is for others to say.
    if (policy === null || url === null || !/^https?:$/.test(url.protocol)) return true;
    if (mayFetch(policy.content, url.origin, location.origin)) return true;
    if (this.#worker === undefined) this.#page.cannotOpen(url.origin);
    else this.asking = { address, origin: url.origin, purpose };
    return false;
  }

  /** Opens `asked`, an address that was asked for: the page is loaded again under its new policy, and goes on. */
  async open({ address, origin, purpose }: AskedAddress): Promise<void> {
    await openOrigin(origin);
    session()?.setItem(WANTED, `${purpose} ${address}`);
    await navigator.serviceWorker.ready;
    await this.#reload();
  }

  /** Takes an address back; the page is loaded again without it. */
  async close(origin: string): Promise<void> {
    await closeOrigin(origin);
    this.opened = await openedOrigins();
    if (!this.#page.busy) await this.#reload();
  }

  async #takenOver(first: boolean): Promise<void> {
    if (!first) {
      this.update = 'none';
      // Work that began in this very moment, or is still being stored, goes first.
      this.#stale = true;
      if (!this.#page.busy) await this.#reload();
      return;
    }
    // On a host that sends no headers the page is isolated from its second load on.
    if (crossOriginIsolated || this.#touched || this.#page.busy || session()?.getItem(RELOADED) !== null)
      return;
    session()?.setItem(RELOADED, 'yes');
    await this.#reload();
  }

  async #reload(): Promise<void> {
    if (this.#reloading) return;
    this.#reloading = true;
    await this.#page.flush();
    location.reload();
  }

  #goOnWithWanted(): void {
    const [, purpose, address = ''] = /^(model|server) (.+)$/.exec(session()?.getItem(WANTED) ?? '') ?? [];
    session()?.removeItem(WANTED);
    if (purpose === undefined) return;
    if (this.mayReach(address, purpose as Purpose)) this.#page.goOn(address, purpose as Purpose);
  }

  #followShortcut(): void {
    const what = /^#\/(record|open)$/.exec(location.hash)?.[1];
    if (what === undefined) return;
    history.replaceState(history.state, '', '#/');
    this.#page.start(what as 'record' | 'open');
  }

  #hearInstall(): void {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.#install = event as InstallPrompt;
      this.canInstall = true;
    });
    addEventListener('appinstalled', () => (this.canInstall = false));
  }
}

/** Some browsers throw where storage is switched off. */
function session(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}
