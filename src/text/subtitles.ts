// Segments → subtitle files (SubRip, WebVTT).

export interface Cue {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly text: string;
}

/** A SubRip file: numbered cues, comma before the milliseconds. Cues without text are left out. */
export function toSrt(cues: readonly Cue[]): string {
  return withText(cues)
    .map(({ startSeconds, endSeconds, text }, i) => {
      return `${i + 1}\n${timestamp(startSeconds, ',')} --> ${timestamp(endSeconds, ',')}\n${text}\n`;
    })
    .join('\n');
}

/** A WebVTT file. Cues without text are left out. */
export function toVtt(cues: readonly Cue[]): string {
  const body = withText(cues).map(({ startSeconds, endSeconds, text }) => {
    return `${timestamp(startSeconds, '.')} --> ${timestamp(endSeconds, '.')}\n${escapeVtt(text)}\n`;
  });
  return ['WEBVTT\n', ...body].join('\n');
}

/** `hh:mm:ss.mmm`, hours unbounded; `mark` stands before the milliseconds. */
export function timestamp(seconds: number, mark: ',' | '.'): string {
  const ms = Math.max(0, Math.round(seconds * 1000));
  const parts = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60];
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}${mark}${String(ms % 1000).padStart(3, '0')}`;
}

function withText(cues: readonly Cue[]): Cue[] {
  // An empty line would end the cue, so line breaks inside a text become spaces.
  return cues
    .map((cue) => ({ ...cue, text: cue.text.replace(/\s*[\r\n]+\s*/g, ' ').trim() }))
    .filter((cue) => cue.text !== '');
}

/** `-->` and markup have a meaning in WebVTT. */
function escapeVtt(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
