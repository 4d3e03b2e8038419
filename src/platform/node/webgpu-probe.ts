// A process of its own that lets ONNX Runtime multiply two small matrices through WebGPU: exit code 0 when
// the product is right. A driver that crashes takes only this process along.

import { InferenceSession, Tensor } from 'onnxruntime-node';

/** An ONNX model of one node: y = x·x, both 2 by 2. */
const PRODUCT =
  'CAg6QAoRCgF4CgF4EgF5IgZNYXRNdWwSAXBaEwoBeBIOCgwIARIICgIIAgoCCAJiEwoBeRIOCgwIARIICgIIAgoCCAJCAhAR';

const session = await InferenceSession.create(Buffer.from(PRODUCT, 'base64'), {
  executionProviders: ['webgpu'],
  logSeverityLevel: 4,
});
const { y } = await session.run({ x: new Tensor('float32', [1, 2, 3, 4], [2, 2]) });
process.exit([...(y?.data as Float32Array)].join() === '7,10,15,22' ? 0 : 1);
