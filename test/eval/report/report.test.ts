import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Clip, RECORDED } from '../../../src/eval/clips.ts';
import type { EngineFacts } from '../../../src/eval/engines/eval-engine.ts';
import { readSamples } from '../../../src/eval/read-audio.ts';
import { clipsCsv, differencesCsv, enginesCsv, ratesCsv } from '../../../src/eval/report/csv.ts';
import { differenceRows } from '../../../src/eval/report/differences.ts';
import { embedAudio } from '../../../src/eval/report/embedded-audio.ts';
import { html } from '../../../src/eval/report/markup.ts';
import { reportPage } from '../../../src/eval/report/page.ts';
import { median, percentile } from '../../../src/eval/report/statistics.ts';
import { type Summary, summarize } from '../../../src/eval/report/summary.ts';
import { terminalReport } from '../../../src/eval/report/terminal.ts';
import { alignments } from '../../../src/eval/report/write-report.ts';
import type { ClipResult, EngineRun } from '../../../src/eval/results.ts';

const folder = mkdtempSync(join(tmpdir(), 'sotto-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FACTS: EngineFacts = {
  model: 'model',
  device: 'device',
  streams: 'yes',
  limits: ['cannot be told the language'],
  inThisProcess: true,
};
const EVIL = `</script><img src=x onerror=alert(1)>"'&`;

function clip(id: string, text: string, language: string, scene: string, levelDbfs?: number): Clip {
  return {
    id,
    path: `${id}.wav`,
    text,
    language,
    whispered: false,
    scene,
    ...(levelDbfs !== undefined && { levelDbfs }),
  };
}

const CLIPS = [
  clip('en1', 'turn on the light', 'en', 'indoor', -32),
  clip('zh1', '明天早上', 'zh', 'indoor', -32),
  clip('l20', '好的', 'zh', 'level-20', -20),
  clip('l60', '好的', 'zh', 'level-60', -60),
  clip('quiet', '', 'none', 'noise only'),
  clip('own', 'hello', 'en', RECORDED),
];

const TEXTS: Record<string, string> = {
  en1: 'Turn off the light.',
  zh1: '明早上',
  l20: '好的',
  l60: '好',
  quiet: 'Thank you',
  own: EVIL,
};

function result(id: string, text: string, latencyMs: number): ClipResult {
  return { id, key: 'k', seconds: 2, activeDbfs: -44, text, latencyMs, firstTextMs: latencyMs / 2 };
}

function summaryOf(texts: Record<string, string>, run: Partial<EngineRun> = {}): Summary {
  const results = new Map(
    Object.entries(texts).map(([id, text], i) => [id, result(id, text, 100 * (i + 1))]),
  );
  const spec = { kind: 'sotto', name: 'x', settings: {} } as const;
  const whole = {
    name: `ours ${EVIL}`,
    spec,
    facts: FACTS,
    peakMemoryBytes: 5e8,
    endedAt: '2026-11-22',
    ...run,
  };
  return summarize(CLIPS, [{ run: whole, results }], 'fold');
}

const summary = summaryOf(TEXTS);
const engine = summary.engines[0]!;

describe('summary', () => {
  test('rates are pooled per scene, language and level', () => {
    // Units: 4 + 4 + 2 + 2 + 1 = 13; errors: 1 (off) + 1 (天) + 0 + 1 (的) + the evil text in place of hello.
    expect(engine.all.mixed.units).toBe(13);
    expect(engine.scenes.map(({ name, rates }) => [name, rates.mixed.rate])).toEqual([
      ['indoor', 2 / 8],
      ['recorded', expect.any(Number)],
    ]);
    expect(engine.languages.map(({ name, rates }) => [name, rates.characters.clips])).toEqual([
      ['zh', 3],
      ['en', 2],
    ]);
    expect(engine.points.map(({ series, x, rates }) => [series, x, rates.mixed.rate])).toEqual([
      ['level', -60, 0.5],
      ['recorded', -40, expect.any(Number)],
      ['level', -20, 0],
    ]);
  });

  test('text where nobody spoke is false, and no part of the rates', () => {
    expect(engine.falseText).toEqual({ clips: 1, seconds: 2, clipsWithText: 1, characters: 9 });
    expect(engine.all.mixed.clips).toBe(5);
  });

  test('latencies are medians and nearest ranks; RTF is work per audio', () => {
    expect(engine.medianMs).toBe(300);
    expect(engine.p95Ms).toBe(600);
    expect(engine.firstTextMs).toBe(150);
    expect(engine.rtf).toBeCloseTo(2.1 / 12);
    expect([median([]), percentile([5], 0.95), percentile([4, 1, 3, 2], 0.5)]).toEqual([NaN, 5, 2]);
  });

  test('a clip that failed is an empty reading and no latency; one that is missing is said', () => {
    const results = new Map([['en1', { ...result('en1', '', 9), failed: 'too long' }]]);
    const spec = { kind: 'sotto', name: 'x', settings: {} } as const;
    const run: EngineRun = { name: 'e', spec, endedAt: '' };
    const [failing] = summarize(CLIPS, [{ run, results }], 'fold').engines;
    expect(failing!.all.words).toMatchObject({ rate: 1, units: 4 });
    expect([failing!.failedClips, failing!.missingClips, failing!.medianMs]).toEqual([1, 5, NaN]);
  });
});

describe('terminal', () => {
  test('has a row per engine, scene and language, and what the engine could not do', () => {
    const text = terminalReport(summaryOf({ ...TEXTS, own: 'hello', quiet: '' }, { name: 'ours' }), 'mixed');
    expect(text).toMatch(/^ours +23\.1 % \(/m);
    expect(text).toMatch(/^ours .* 300 ms +600 ms +0\.1[78] +500 MB +yes +none in 1 clip$/m);
    expect(text).toMatch(/^Indoor soft speech +2 +25\.0 %$/m);
    expect(text).toMatch(/^Mandarin +3 +25\.0 %$/m);
    expect(text).toMatch(/^level −60 dBFS +1 +50\.0 %$/m);
    expect(text).toContain('ours: cannot be told the language.');
  });
});

describe('CSV', () => {
  /** By RFC 4180, independently of the writer. */
  function parse(text: string): string[][] {
    const rows: string[][] = [[]];
    const cell = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n|$)/g;
    for (const [, raw = '', end] of text.matchAll(cell)) {
      rows.at(-1)!.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
      if (end === '\r\n') rows.push([]);
      if (end === '') break;
    }
    return rows.slice(0, -1);
  }

  test('rates, engines and clips come back as they were', () => {
    const rates = parse(ratesCsv(summary));
    expect(rates.every((row) => row.length === 9)).toBe(true);
    expect(rates.find((row) => row[1] === 'by level' && row[2] === '-60' && row[3] === 'MER')![4]).toBe(
      '0.5',
    );
    const [, ours] = parse(enginesCsv(summary));
    expect(ours!.slice(0, 6)).toEqual([`ours ${EVIL}`, 'model', 'device', 'yes', '300', '600']);
    const own = parse(clipsCsv(summary)).find((row) => row[1] === 'own')!;
    expect(own[13]).toBe(EVIL);
  });

  test('no reading becomes a formula', () => {
    const rows = parse(clipsCsv(summaryOf({ own: '=HYPERLINK("http://x")' })));
    expect(rows[1]![13]).toBe(`'=HYPERLINK("http://x")`);
  });
});

describe('page', () => {
  const facts = { command: `sotto eval ${EVIL}`, machine: 'machine', date: '2026-11-22' };
  const sounds = new Map([['en1', embedAudio(new Float32Array(1600).fill(0.01))]]);
  const page = reportPage(summary, 'mixed', sounds, facts);

  test('nothing that an engine, a clip or a user says becomes markup', () => {
    expect(page).not.toContain('<img');
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(page).toContain('&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;');
    expect(html`<p title="${'"><b>'}">${'\0'}</p>`.text).toBe('<p title="&quot;&gt;&lt;b&gt;">\ufffd</p>');
  });

  test('asks nothing of anyone', () => {
    expect(page).not.toMatch(/(?:src|href|action)="(?!data:)/);
    expect(page).not.toMatch(/@import|url\(/);
    expect(page).toContain('content="default-src &#39;none&#39;; media-src data:');
  });

  test('shows curve, bars, rates, sound and differences', () => {
    expect(page).toContain('aria-label="Error against active speech level, dBFS"');
    expect(page).toContain('Indoor soft speech');
    expect(page).toContain('<del>on</del><ins>off</ins>');
    expect(page).toContain('明<del>天</del>早上');
    expect(page.match(/<audio/g)).toHaveLength(1);
    expect(page).toContain('9 characters in 1 of 1 clip');
  });

  test('the embedded sound is a WAV that can be read, as loud as it may be', async () => {
    const tone = Float32Array.from({ length: 1601 }, (_, n) => 0.001 * Math.sin(n / 5));
    const { dataUrl, raisedDb } = embedAudio(tone);
    const path = join(folder, 'embedded.wav');
    writeFileSync(path, Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64'));
    const heard = await readSamples(path);
    expect(heard).toHaveLength(1601);
    const gain = 10 ** (raisedDb / 20);
    expect(raisedDb).toBeCloseTo(59.1, 1);
    heard.forEach((sample, i) => expect(Math.abs(sample - gain * tone[i]!)).toBeLessThan(0.02));
    expect(embedAudio(new Float32Array(100)).raisedDb).toBe(0);
    expect(readFileSync(path).length % 2).toBe(0);
  });
});

test('alignments show the wrong readings only', () => {
  const text = alignments(summaryOf({ en1: 'Turn off the light.', zh1: '明天早上' }, { name: 'ours' }));
  expect(text).toBe('en1 · ours\nsaid  turn ON  the light\nread  turn OFF the light\n');
  expect(alignments(summaryOf({ zh1: '明天早上' }))).toBe('No errors.\n');
});

describe('differences', () => {
  const results = (texts: Record<string, string>): Map<string, ClipResult> =>
    new Map(Object.entries(texts).map(([id, text]) => [id, result(id, text, 100)]));
  const runOf = (name: string): EngineRun => ({
    name,
    spec: { kind: 'sotto', name, settings: {} },
    endedAt: '',
  });
  const perfect = { ...TEXTS, en1: 'turn on the light', zh1: '明天早上', own: 'hello', l60: '好的' };
  const two = summarize(
    CLIPS,
    [
      { run: runOf('first'), results: results(perfect) },
      { run: runOf('second'), results: results({ ...perfect, l60: '坏', en1: 'turn on light' }) },
    ],
    'fold',
  );

  test('every engine is compared with the first, group by group, over what both have read', () => {
    const rows = differenceRows(two, 'mixed');
    expect(rows.map(({ group }) => group)).toEqual([
      'all',
      'indoor',
      'level-20',
      'level-60',
      'recorded',
      'zh',
      'en',
    ]);
    const of = (group: string): unknown => rows.find((row) => row.group === group)?.differences;
    expect(of('all')).toMatchObject([{ rate: 3 / 13, clips: 5 }]);
    expect(of('level-60')).toEqual([{ rate: 1, low: 1, high: 1, clips: 1 }]);
    expect(of('level-20')).toEqual([{ rate: 0, low: 0, high: 0, clips: 1 }]);
    expect(differenceRows(summary, 'mixed')).toEqual([]); // one engine only
  });

  test('page, terminal and CSV show them, and star what is more than chance', () => {
    const page = reportPage(two, 'mixed', new Map(), { command: 'c', machine: 'm', date: 'd' });
    expect(page).toContain('Against first');
    expect(page).toContain('<strong>+100.0 (+100.0 … +100.0) *</strong>');
    expect(terminalReport(two, 'mixed')).toMatch(/MER against first.*second/);
    expect(differencesCsv(two)).toContain('second,first,level-60,MER,1,1,1,1\r\n');
  });
});
