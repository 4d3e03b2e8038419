// HTML and SVG from templates in which everything that is filled in is escaped, unless it is markup itself.
//
//   html`<p title="${name}">${text}</p>`

/** Text that is markup already. Made by `html` only. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Filling = string | number | Markup | undefined | readonly Filling[];

export function html(pieces: TemplateStringsArray, ...fillings: readonly Filling[]): Markup {
  return new Markup(pieces.map((piece, i) => (i === 0 ? '' : fill(fillings[i - 1])) + piece).join(''));
}

function fill(filling: Filling): string {
  if (filling instanceof Markup) return filling.text;
  if (Array.isArray(filling)) return filling.map((part: Filling) => fill(part)).join('');
  return filling === undefined ? '' : escaped(String(filling));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe between tags and in quoted attributes. Control characters that HTML forbids become �. */
function escaped(text: string): string {
  return text
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
