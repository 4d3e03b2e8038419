import { describe, expect, test } from 'vitest';
import {
  OFFICIAL_MODELSCOPE,
  OFFICIAL_SOURCE,
  parseRepository,
} from '../../../src/platform/pull/repository.ts';

const REVISION = '61ba4e0b3309b6656edea3e93e419f7bd5c61957';

test('the official repository is pinned to the revision that this program knows', () => {
  const official = parseRepository(OFFICIAL_SOURCE);
  expect(official.url('model.safetensors')).toBe(
    `https://huggingface.co/zai-org/GLM-ASR-Nano-2512/resolve/${REVISION}/model.safetensors`,
  );
  expect(official.listing).toBe(
    `https://huggingface.co/api/models/zai-org/GLM-ASR-Nano-2512/tree/${REVISION}`,
  );
  expect(official.title).toBe('GLM-ASR-Nano-2512');
});

test('ModelScope has addresses and revisions of its own', () => {
  expect(parseRepository(OFFICIAL_MODELSCOPE).url('config.json')).toBe(
    'https://www.modelscope.cn/models/ZhipuAI/GLM-ASR-Nano-2512/resolve/master/config.json',
  );
});

describe('what people paste', () => {
  test.each([
    ['hf:a/b', 'hf:a/b@main'],
    ['hf:a/b@v2', 'hf:a/b@v2'],
    ['HF:zai-org/GLM-ASR-Nano-2512', `hf:zai-org/GLM-ASR-Nano-2512@${REVISION}`],
    ['https://huggingface.co/zai-org/GLM-ASR-Nano-2512', `hf:zai-org/GLM-ASR-Nano-2512@${REVISION}`],
    ['https://huggingface.co/a/b/tree/main', 'hf:a/b@main'],
    ['https://huggingface.co/a/b/blob/v1/model.safetensors', 'hf:a/b@v1'],
    ['hf-mirror.com/a/b', 'hf:a/b@main'],
    [
      'https://www.modelscope.cn/models/ZhipuAI/GLM-ASR-Nano-2512/files',
      'modelscope:ZhipuAI/GLM-ASR-Nano-2512@master',
    ],
    ['nas.local:8080/models/glm', 'https://nas.local:8080/models/glm/'],
    ['http://127.0.0.1:9000/glm?token=x', 'http://127.0.0.1:9000/glm/?token=x'],
  ])('%s', (typed, name) => {
    expect(parseRepository(typed).name).toBe(name);
  });

  test('a mirror keeps its host', () => {
    expect(parseRepository('https://hf-mirror.com/a/b').url('x')).toBe(
      'https://hf-mirror.com/a/b/resolve/main/x',
    );
  });

  test('a query goes along to every file', () => {
    expect(parseRepository('http://127.0.0.1:9000/glm?token=x').url('a.json')).toBe(
      'http://127.0.0.1:9000/glm/a.json?token=x',
    );
  });

  test.each(['hf:', 'hf:only-one-part', 'hf:a/b/c', 'ftp://example.org/x', 'modelscope:../..@x y'])(
    '%s is refused',
    (typed) => {
      expect(() => parseRepository(typed)).toThrow(
        expect.objectContaining({ code: 'option-invalid' }) as Error,
      );
    },
  );
});
