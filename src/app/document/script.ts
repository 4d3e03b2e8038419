// Simplified and Traditional characters. The dictionaries (OpenCC's) are loaded when somebody asks for them.
//
// Characters change, words stay: a transcript says what was said, so 出租车 becomes 出租車 for Taiwan too,
// not 計程車.

import { scriptOf } from './language.ts';
import type { EditableSegment, ScriptView } from './transcript.ts';

export type Convert = (text: string) => string;

/** What decides how a text is converted. */
export type Written = Pick<EditableSegment, 'text' | 'writtenIn' | 'readIn'>;

/** Shows texts in one view. What a person wrote in that very view is shown as it is. */
export type ShowScript = (written: Written) => string;

/** OpenCC's name of a script. */
type Standard = 'cn' | 'hk' | 'tw' | 't';

const STANDARDS: Record<Exclude<ScriptView, 'as-read'>, Standard> = {
  hans: 'cn',
  'hant-hk': 'hk',
  'hant-tw': 'tw',
};

export const showAsWritten: ShowScript = ({ text }) => text;

/** Loads what `view` needs for these segments. Fails as a network does when the dictionaries cannot be had. */
export async function loadScript(view: ScriptView, segments: readonly Written[]): Promise<ShowScript> {
  if (view === 'as-read') return segments.some(isForeign) ? showAsRead() : showAsWritten;
  const to = STANDARDS[view];
  const convert = to === 'cn' ? await loadToSimplified() : await loadFull(to);
  return ({ text, writtenIn }) => (writtenIn === view ? text : convert(text, standardOf(text, writtenIn)));
}

/** Written by a person in another view, beside a reading in Simplified. */
function isForeign({ writtenIn, readIn }: Written): boolean {
  return readIn === 'hans' && writtenIn !== 'as-read' && writtenIn !== 'hans';
}

async function showAsRead(): Promise<ShowScript> {
  const convert = await loadToSimplified();
  return (written) =>
    isForeign(written) ? convert(written.text, standardOf(written.text, written.writtenIn)) : written.text;
}

function standardOf(text: string, writtenIn: ScriptView): Standard {
  if (writtenIn !== 'as-read') return STANDARDS[writtenIn];
  return scriptOf(text) === 'hant' ? 't' : 'cn';
}

type FromAny = (text: string, from: Standard) => string;

/** One converter per origin, made when it is first needed. */
function memoized(make: (from: Standard) => Convert): FromAny {
  const made = new Map<Standard, Convert>();
  return (text, from) => {
    let convert = made.get(from);
    if (convert === undefined) made.set(from, (convert = make(from)));
    return convert(text);
  };
}

async function loadToSimplified(): Promise<FromAny> {
  const { Converter } = await import('opencc-js/t2cn');
  // Text without a telling character may be either; reading it as Traditional leaves Simplified alone.
  return memoized((from) => Converter({ from: from === 'cn' ? 't' : from, to: 'cn' }));
}

async function loadFull(to: Standard): Promise<FromAny> {
  const { Converter } = await import('opencc-js');
  return memoized((from) => (from === to ? (text): string => text : Converter({ from, to })));
}

/** For searching: all Chinese in Simplified characters, so that 會議 finds 会议. */
export async function loadFold(): Promise<Convert> {
  const { Converter } = await import('opencc-js/t2cn');
  return Converter({ from: 't', to: 'cn' });
}
