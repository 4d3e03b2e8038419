// A small window that stays above the others and shows what was said last, in large type: a
// picture-in-picture of the document where browsers have it, else a window of its own.

interface DocumentPictureInPicture {
  requestWindow(options: { width: number; height: number }): Promise<Window>;
}

const SIZE = { width: 720, height: 220 };

export class CaptionsWindow {
  #window: Window | undefined;
  #ink: HTMLElement | undefined;
  #tentative: HTMLElement | undefined;

  get isOpen(): boolean {
    return this.#window !== undefined && !this.#window.closed;
  }

  /** Opens it, or closes it again. Must come from a click or a key. */
  async toggle(title: string): Promise<void> {
    if (this.isOpen) return this.close();
    const opened = await openAbove();
    if (opened === undefined) return;
    this.#window = opened;
    this.#furnish(opened.document, title);
  }

  show(committed: string, tentative: string, lang: string): void {
    if (!this.isOpen || this.#ink === undefined || this.#tentative === undefined) return;
    this.#ink.textContent = committed;
    this.#tentative.textContent = tentative;
    this.#ink.parentElement?.setAttribute('lang', lang);
    this.#ink.parentElement?.scrollIntoView({ block: 'end' });
  }

  close(): void {
    this.#window?.close();
    this.#window = undefined;
  }

  #furnish(page: Document, title: string): void {
    page.title = title;
    Object.assign(page.documentElement.style, { background: '#16130f', color: '#f7f2ea' });
    Object.assign(page.body.style, {
      margin: '0',
      padding: '0.5em 0.75em',
      font: '500 clamp(20px, 5.5vw, 44px)/1.4 system-ui, "PingFang SC", "Noto Sans CJK SC", sans-serif',
    });
    const line = page.createElement('p');
    line.style.margin = '0';
    this.#ink = page.createElement('span');
    this.#tentative = page.createElement('span');
    this.#tentative.style.opacity = '0.65';
    line.append(this.#ink, this.#tentative);
    page.body.replaceChildren(line);
  }
}

async function openAbove(): Promise<Window | undefined> {
  const above = (globalThis as { documentPictureInPicture?: DocumentPictureInPicture })
    .documentPictureInPicture;
  if (above !== undefined) {
    try {
      return await above.requestWindow(SIZE);
    } catch {
      // Refused (an embedded page, a browser policy): a window of its own will do.
    }
  }
  const features = `popup,width=${SIZE.width},height=${SIZE.height}`;
  return window.open('', 'sotto-captions', features) ?? undefined;
}
