// Keys as people read them, and which ones a page may take.

const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

/** `⌘F` or `Ctrl+F` */
export function commandKey(key: string): string {
  return isMac ? `⌘${key}` : `Ctrl+${key.replace('⇧', 'Shift+')}`;
}

/** The platform's own modifier, and no other. */
export function isCommand(event: KeyboardEvent): boolean {
  return (isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey) && !event.altKey;
}

/** Somebody is typing there, so single letters are text. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  return (
    target !== undefined && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** A button or link is focused: Space and Enter are its own. */
export function isPressing(event: KeyboardEvent): boolean {
  return (
    event.target instanceof HTMLElement &&
    event.target.closest('button, a, summary, [role="slider"]') !== null
  );
}
