// The ear: log-mel frames → audio embeddings.
//
//   features [W, mel, T]
//     conv k3 → gelu → conv k3 s2 → gelu             [W, T/2, hidden]
//     layers × ( x + attention(norm x);  x + mlp(norm x) )
//     norm                                            encoder_states [W, T/2, hidden]
//     four frames side by side                        [W·T/8, 4·hidden]
//     linear → gelu → linear                          audio_embeds [W·T/8, textHidden]
//
// Whatever the activation type, convolutions, norms and the residual stream are computed in float32: they cost
// next to nothing, and half precision overflows there first.

import { FRAMES_PER_AUDIO_ROW, LAYER_NORM_EPS } from '../model/config.ts';
import { ENCODER_INPUT, ENCODER_OUTPUT, ENCODER_STATES } from '../model/graph-io.ts';
import { Graph, type Value } from './graph.ts';
import { repeatedHeads } from './head-layout.ts';
import { convWeights, linear, type Source, tensor, vector } from './linear.ts';
import {
  attention,
  cast,
  conv,
  gelu,
  layerNorm,
  reshape,
  rotary,
  type RotaryTable,
  skipLayerNorm,
  type Stream,
  transpose,
} from './ops.ts';
import { rotaryMatrix } from './rotary-table.ts';
import { weight } from './weights.ts';

const TOWER = 'audio_tower';

/** The encoder and projector of a checkpoint. */
export function encoderGraph(source: Source): Graph {
  const g = new Graph('encoder');
  const { audio } = source.checkpoint.config;
  const features = g.input(ENCODER_INPUT, 'float32', ['W', audio.melBins, 'T']);
  const x = stem(g, source, features);
  const table = rotaryTable(g, source);
  const first = norm(g, source, 'layers.0.input_layernorm');
  let stream: Stream = { normed: layerNorm(g, x, first.scale, first.bias, first.epsilon), residual: x };
  for (let i = 0; i < audio.layers; i++) {
    const following = i + 1 < audio.layers ? `layers.${i + 1}.input_layernorm` : 'norm';
    stream = g.scope(`layers.${i}`, (g) => layer(g, source, stream, i, following, table));
  }
  const states = cast(g, stream.normed, source.setting.activation);
  const embeds = g.scope('multi_modal_projector', (g) => projector(g, source, states));
  g.output(embeds, ENCODER_OUTPUT);
  g.output(states, ENCODER_STATES);
  return g;
}

/** Two convolutions: frames of 10 ms become states of 20 ms. [W, mel, T] → [W, T/2, hidden] */
function stem(g: Graph, source: Source, features: Value): Value {
  const conv1 = convWeights(g, source, `${TOWER}.conv1`);
  const conv2 = convWeights(g, source, `${TOWER}.conv2`);
  const fine = g.scope('conv1', (g) => gelu(g, conv(g, features, conv1.weight, conv1.bias, 1, 'T')));
  const coarse = g.scope('conv2', (g) => gelu(g, conv(g, fine, conv2.weight, conv2.bias, 2, 'T/2')));
  return transpose(g, coarse, [0, 2, 1]);
}

function layer(
  g: Graph,
  source: Source,
  { normed, residual }: Stream,
  i: number,
  following: string,
  table: RotaryTable,
): Stream {
  const name = `${TOWER}.layers.${i}`;
  const attended = g.scope('self_attn', (g) => selfAttention(g, source, normed, `${name}.self_attn`, table));
  const oBias = vector(g, source, `${name}.self_attn.o_proj.bias`, 'float32');
  const between = skipLayerNorm(
    g,
    attended,
    residual,
    norm(g, source, `layers.${i}.post_attention_layernorm`),
    oBias,
  );
  const thought = g.scope('mlp', (g) => mlp(g, source, between.normed, `${name}.mlp`));
  const fc2Bias = vector(g, source, `${name}.mlp.fc2.bias`, 'float32');
  return skipLayerNorm(g, thought, between.residual, norm(g, source, following), fc2Bias);
}

/** Everything sees everything; the zeros behind a short clip too, as in the reference. Without o_proj's bias. */
function selfAttention(g: Graph, source: Source, normed: Value, name: string, table: RotaryTable): Value {
  const { checkpoint, setting } = source;
  const { heads, kvHeads, headDim } = checkpoint.config.audio;
  const format = setting.formats.encoder;
  const x = cast(g, normed, setting.activation);
  const kvRows = [repeatedHeads(heads, kvHeads, headDim)];
  const q = linear(g, source, x, { names: [`${name}.q_proj`], bias: true }, format);
  const k = linear(g, source, x, { names: [`${name}.k_proj`], bias: false, rows: kvRows }, format);
  const v = linear(g, source, x, { names: [`${name}.v_proj`], bias: true, rows: kvRows }, format);
  const context = attention(
    g,
    rotary(g, q, table, heads),
    rotary(g, k, table, heads),
    v,
    heads,
    headDim ** -0.5,
  );
  const out = linear(g, source, context, { names: [`${name}.o_proj`], bias: false }, format);
  return cast(g, out, 'float32');
}

/** fc2(gelu(fc1(x))), without fc2's bias. */
function mlp(g: Graph, source: Source, normed: Value, name: string): Value {
  const { setting } = source;
  const x = cast(g, normed, setting.activation);
  const hidden = gelu(
    g,
    linear(g, source, x, { names: [`${name}.fc1`], bias: true }, setting.formats.encoder),
  );
  const out = linear(g, source, hidden, { names: [`${name}.fc2`], bias: false }, setting.formats.encoder);
  return cast(g, out, 'float32');
}

/** [W, T/2, hidden] → [W·T/8, textHidden] */
function projector(g: Graph, source: Source, states: Value): Value {
  const { audio } = source.checkpoint.config;
  const width = audio.hiddenSize * (FRAMES_PER_AUDIO_ROW / 2);
  const format = source.setting.formats.projector;
  const stacked = reshape(g, states, [-1, width], ['W·T/8', width]);
  const name = 'multi_modal_projector';
  const middle = gelu(g, linear(g, source, stacked, { names: [`${name}.linear_1`], bias: true }, format));
  return linear(g, source, middle, { names: [`${name}.linear_2`], bias: true }, format);
}

function norm(g: Graph, source: Source, name: string): { scale: Value; bias: Value; epsilon: number } {
  return {
    scale: vector(g, source, `${TOWER}.${name}.weight`, 'float32'),
    bias: vector(g, source, `${TOWER}.${name}.bias`, 'float32'),
    epsilon: LAYER_NORM_EPS,
  };
}

function rotaryTable(g: Graph, { checkpoint, setting }: Source): RotaryTable {
  const { maxPositions, rotaryDims, ropeTheta } = checkpoint.config.audio;
  const wave = (name: 'cos' | 'sin'): Value => {
    const matrix = rotaryMatrix(name, maxPositions, rotaryDims, ropeTheta);
    const stored = weight(`${TOWER}.rotary_emb.${name}`, matrix, { as: 'rows', type: 'float32' });
    return cast(g, tensor(g, stored, [matrix.rows, matrix.columns]), setting.activation);
  };
  return { cos: wave('cos'), sin: wave('sin') };
}
