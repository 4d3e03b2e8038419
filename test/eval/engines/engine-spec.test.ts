import { expect, test } from 'vitest';
import { COMPARISONS, enginesOf } from '../../../src/eval/engines/comparisons.ts';
import { choiceOf, numberOf, parseEngineSpec, switchOf } from '../../../src/eval/engines/engine-spec.ts';
import { preFilter } from '../../../src/eval/engines/pre-filters.ts';

test('an engine is told in one line', () => {
  expect(parseEngineSpec('endpoint, url=http://host:80/v1?a=b, name=Their server')).toEqual({
    kind: 'endpoint',
    name: 'Their server',
    settings: { url: 'http://host:80/v1?a=b' },
  });
});

test.each([
  ['sotto', 'sotto'],
  ['sotto,gain=off,voice=off', 'sotto gain off voice off'],
  ['sotto,model=/models/glm,exact=on', 'glm exact on'],
  ['whisper,model=onnx-community/whisper-large-v3-turbo,dtype=q8', 'whisper-large-v3-turbo dtype q8'],
  ['endpoint,url=http://host/v1', 'endpoint'],
])('%s is called %s', (line, name) => expect(parseEngineSpec(line).name).toBe(name));

test.each([
  ['sotti', 'no engine; there are sotto, endpoint, whisper, paraformer'],
  ['sotto,loud=on', 'it takes name=, model='],
  ['sotto,gain', '"gain" of sotto'],
])('%s is refused with what there is', (line, message) => {
  expect(() => parseEngineSpec(line)).toThrow(message);
});

test('settings are read as what they are', () => {
  const spec = parseEngineSpec('sotto,gain=off,threads=2,filter=band,exact=yes,max-tokens=0');
  expect(switchOf(spec, 'gain', true)).toBe(false);
  expect(switchOf(spec, 'voice', true)).toBe(true);
  expect(numberOf(spec, 'threads')).toBe(2);
  expect(choiceOf(spec, 'filter', ['none', 'band'], 'none')).toBe('band');
  expect(() => switchOf(spec, 'exact', false)).toThrow('on or off');
  expect(() => numberOf(spec, 'max-tokens')).toThrow('from 1 up');
  expect(() => choiceOf(spec, 'filter', ['none'], 'none')).toThrow('there are none');
});

test('pre-filters: peak brings the loudest sample to −1 dBFS, band keeps speech and drops rumble', () => {
  const tone = (hertz: number): Float32Array =>
    Float32Array.from({ length: 16_000 }, (_, i) => 0.01 * Math.sin((2 * Math.PI * hertz * i) / 16_000));
  const peak = (samples: Float32Array): number => Math.max(...samples.slice(4000));
  expect(peak(preFilter(tone(440), 'peak'))).toBeCloseTo(10 ** (-1 / 20), 3);
  expect(preFilter(new Float32Array(10), 'peak')).toEqual(new Float32Array(10));
  expect(peak(preFilter(tone(1000), 'band'))).toBeGreaterThan(0.009);
  expect(peak(preFilter(tone(50), 'band'))).toBeLessThan(0.001);
  expect(peak(preFilter(tone(7000), 'band'))).toBeLessThan(0.003);
});

test('a comparison is a set of engines with names of their own, the defaults first', () => {
  for (const comparison of COMPARISONS) {
    const names = enginesOf(comparison).map(({ name }) => name);
    expect(names[0]).toBe('defaults');
    expect(new Set(names).size).toBe(names.length);
  }
});
