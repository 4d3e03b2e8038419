// The caret in a piece of text that consists of one text node.

/** Offset of the caret (or of the selection's start) in `element`; undefined when it is elsewhere. */
export function caretIn(element: HTMLElement): number | undefined {
  const selection = getSelection();
  if (selection === null || selection.rangeCount === 0) return undefined;
  const range = selection.getRangeAt(0);
  return element.contains(range.startContainer)
    ? offsetIn(element, range.startContainer, range.startOffset)
    : undefined;
}

/** True when nothing is selected, or only a place. */
export function isCollapsed(): boolean {
  return getSelection()?.isCollapsed ?? true;
}

export function placeCaret(element: HTMLElement, offset: number): void {
  const range = rangeIn(element, offset, offset);
  const selection = getSelection();
  if (range === undefined || selection === null) return;
  selection.removeAllRanges();
  selection.addRange(range);
}

/** [start, end) of the text of `element`; undefined where it has none. */
export function rangeIn(element: HTMLElement, start: number, end: number): Range | undefined {
  const range = document.createRange();
  const text = element.firstChild;
  if (text?.nodeType !== Node.TEXT_NODE) {
    if (start > 0 || end > 0) return undefined;
    range.selectNodeContents(element);
    range.collapse(true);
    return range;
  }
  const { length } = text.textContent ?? '';
  range.setStart(text, Math.min(start, length));
  range.setEnd(text, Math.min(end, length));
  return range;
}

/** Which character of `element` lies under a point of the window. */
export function offsetAtPoint(element: HTMLElement, x: number, y: number): number {
  // Safari knows only the older of the two.
  if ('caretPositionFromPoint' in document) {
    const position = document.caretPositionFromPoint(x, y);
    return position === null ? 0 : offsetIn(element, position.offsetNode, position.offset);
  }
  const range = (document as Document).caretRangeFromPoint(x, y);
  return range === null ? 0 : offsetIn(element, range.startContainer, range.startOffset);
}

function offsetIn(element: HTMLElement, node: Node, offset: number): number {
  if (!element.contains(node)) return 0;
  const range = document.createRange();
  range.selectNodeContents(element);
  range.setEnd(node, offset);
  return range.toString().length;
}
