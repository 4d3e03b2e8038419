// The language model: ids and audio rows → the next id.
//
//   rows = [ embed(ids) ; audio ]                     [n + m, hidden]
//   x = rows[index]                                   [B, S, hidden]
//     layers × ( x + attention(norm x);  x + mlp(norm x) )
//     norm, then only the positions that want a next id: [k, hidden]
//   scores = x · tableᵀ                               logits [k, vocab]
//   ids_out = argmax,  logp = log softmax of it       [k]
//
// One graph for prefill, draft check, single step and ragged batch (graph-io.ts). Norms, the residual stream
// and the scores' arithmetic are float32 whatever the activation type.

import {
  DECODER_INPUT,
  DECODER_OUTPUT,
  pastKey,
  pastValue,
  presentKey,
  presentValue,
} from '../model/graph-io.ts';
import { EMBEDDING, embeddingMatrix, HEAD, matrixOf } from './checkpoint.ts';
import { Graph, type Value } from './graph.ts';
import { paddedHeadDim, paddedHeads } from './head-layout.ts';
import { linear, multiply, type Source, tensor, vector } from './linear.ts';
import {
  type CausalAttention,
  cast,
  causalAttention,
  concatRows,
  elementwise,
  gatherRows,
  mul,
  reduceLast,
  reshape,
  rmsNorm,
  type RotaryTable,
  silu,
  skipRmsNorm,
  type Stream,
  unary,
} from './ops.ts';
import { rotaryMatrix } from './rotary-table.ts';
import { VocabularyTable } from './vocabulary-table.ts';
import { weight } from './weights.ts';

const MODEL = 'language_model.model';

/** What the layers share. */
interface Shared {
  readonly lastPosition: Value;
  readonly totalLength: Value;
  readonly table: RotaryTable;
}

/** The language model of a checkpoint. */
export function decoderGraph(source: Source): Graph {
  const g = new Graph('decoder');
  const { checkpoint, setting } = source;
  const { hiddenSize, layers } = checkpoint.config.text;
  const ids = g.input(DECODER_INPUT.ids, 'int64', ['n']);
  const audio = g.input(DECODER_INPUT.audio, setting.activation, ['m', hiddenSize]);
  const index = g.input(DECODER_INPUT.index, 'int64', ['B', 'S']);
  const sel = g.input(DECODER_INPUT.sel, 'int64', ['k']);
  const shared: Shared = {
    lastPosition: g.input(DECODER_INPUT.lastPosition, 'int32', ['B']),
    totalLength: g.input(DECODER_INPUT.totalLength, 'int32', []),
    table: rotaryTable(g, source),
  };
  const table = tableOf(source);

  const rows = concatRows(g, [g.scope('embed_tokens', (g) => table.embed(g, ids)), audio], 'n+m');
  const x = cast(g, gatherRows(g, rows, index), 'float32');
  const first = norm(g, source, 'layers.0.input_layernorm');
  let stream: Stream = { normed: rmsNorm(g, x, first.scale, first.epsilon), residual: x };
  for (let i = 0; i < layers; i++) {
    const following = i + 1 < layers ? `layers.${i + 1}.input_layernorm` : 'norm';
    stream = g.scope(`layers.${i}`, (g) => layer(g, source, stream, i, following, shared));
  }
  const wanted = gatherRows(g, reshape(g, stream.normed, [-1, hiddenSize], ['B·S', hiddenSize]), sel);
  g.scope('lm_head', (g) => predictions(g, table.scores(g, wanted)));
  return g;
}

/** Embedding and head. */
interface Table {
  /** ids [n] → [n, hidden] */
  embed(g: Graph, ids: Value): Value;
  /** [k, hidden] → [k, vocab], float32 */
  scores(g: Graph, x: Value): Value;
}

function tableOf(source: Source): Table {
  const { checkpoint, setting } = source;
  const ownHead = checkpoint.tensors.has(HEAD) ? HEAD : EMBEDDING;
  if (setting.formats.table.kind === 'int8') {
    // Integer products want the table transposed, so the head has numbers of its own even where it is the same.
    const embedding = new VocabularyTable(EMBEDDING, matrixOf(checkpoint, EMBEDDING), setting);
    const matrix = matrixOf(checkpoint, ownHead);
    return {
      embed: (g, ids) => embedding.lookUp(g, ids),
      scores: (g, x) => multiply(g, setting, x, HEAD, matrix, setting.formats.table),
    };
  }
  const embedding = new VocabularyTable(EMBEDDING, embeddingMatrix(checkpoint), setting);
  const head =
    checkpoint.head === 'separate'
      ? new VocabularyTable(HEAD, matrixOf(checkpoint, HEAD), setting)
      : embedding;
  return { embed: (g, ids) => embedding.lookUp(g, ids), scores: (g, x) => head.scores(g, x) };
}

function layer(
  g: Graph,
  source: Source,
  { normed, residual }: Stream,
  i: number,
  following: string,
  shared: Shared,
): Stream {
  const { attentionBias, mlpBias } = source.checkpoint.config.text;
  const name = `${MODEL}.layers.${i}`;
  const attended = g.scope('self_attn', (g) => selfAttention(g, source, normed, i, shared));
  const oBias = attentionBias ? vector(g, source, `${name}.self_attn.o_proj.bias`, 'float32') : undefined;
  const between = skipRmsNorm(
    g,
    attended,
    residual,
    norm(g, source, `layers.${i}.post_attention_layernorm`),
    oBias,
  );
  const thought = g.scope('mlp', (g) => mlp(g, source, between.normed, `${name}.mlp`));
  const downBias = mlpBias ? vector(g, source, `${name}.mlp.down_proj.bias`, 'float32') : undefined;
  return skipRmsNorm(g, thought, between.residual, norm(g, source, following), downBias);
}

/** Causal attention over cache and input. Without o_proj's bias. */
function selfAttention(g: Graph, source: Source, normed: Value, i: number, shared: Shared): Value {
  const { checkpoint, setting } = source;
  const { heads, kvHeads, headDim, attentionBias } = checkpoint.config.text;
  const width = paddedHeadDim(headDim);
  const name = `${MODEL}.layers.${i}.self_attn`;
  const x = cast(g, normed, setting.activation);
  const kvRows = paddedHeads(kvHeads, headDim, width);
  const qRows = paddedHeads(heads, headDim, width);
  const qkv = linear(
    g,
    source,
    x,
    {
      names: ['q_proj', 'k_proj', 'v_proj'].map((part) => `${name}.${part}`),
      bias: attentionBias,
      rows: [qRows, kvRows, kvRows],
      as: `${name}.qkv_proj`,
    },
    setting.formats.decoder,
  );
  const context = causalAttention(g, qkv, {
    ...shared,
    ...{ heads, kvHeads, headDim: width, scale: headDim ** -0.5 },
    ...cache(g, source, i, width),
  });
  const out = linear(
    g,
    source,
    context,
    { names: [`${name}.o_proj`], bias: false, ...(qRows && { columns: qRows }) },
    setting.formats.decoder,
  );
  return cast(g, out, 'float32');
}

function cache(
  g: Graph,
  { checkpoint, setting }: Source,
  i: number,
  width: number,
): Pick<CausalAttention, 'past' | 'present'> {
  const shape = ['B', checkpoint.config.text.kvHeads, 'P', width];
  return {
    past: {
      key: g.input(pastKey(i), setting.activation, shape),
      value: g.input(pastValue(i), setting.activation, shape),
    },
    present: { key: presentKey(i), value: presentValue(i) },
  };
}

/** down(silu(gate(x)) · up(x)), without down's bias. */
function mlp(g: Graph, source: Source, normed: Value, name: string): Value {
  const { checkpoint, setting } = source;
  const bias = checkpoint.config.text.mlpBias;
  const format = setting.formats.decoder;
  const x = cast(g, normed, setting.activation);
  const gate = linear(g, source, x, { names: [`${name}.gate_proj`], bias }, format);
  const up = linear(g, source, x, { names: [`${name}.up_proj`], bias }, format);
  const gated = mul(g, silu(g, gate), up);
  return cast(g, linear(g, source, gated, { names: [`${name}.down_proj`], bias: false }, format), 'float32');
}

/**
 * The most likely id of each row and its log-probability. The largest score is taken off first, so that no
 * exponential overflows: log p = −log Σ exp(score − largest).
 */
function predictions(g: Graph, logits: Value): void {
  const best = g.node(
    'ArgMax',
    [logits],
    { type: 'int64', shape: logits.shape.slice(0, 1) },
    { attributes: { axis: { int: -1 }, keepdims: { int: 0 } } },
  );
  const shifted = elementwise(g, 'Sub', logits, reduceLast(g, 'ReduceMax', logits, true));
  const logProb = unary(g, 'Neg', reduceLast(g, 'ReduceLogSumExp', shifted, false));
  g.output(best, DECODER_OUTPUT.ids);
  g.output(logProb, DECODER_OUTPUT.logProb);
  g.output(logits, DECODER_OUTPUT.logits);
}

function norm(g: Graph, source: Source, name: string): { scale: Value; epsilon: number } {
  return {
    scale: vector(g, source, `${MODEL}.${name}.weight`, 'float32'),
    epsilon: source.checkpoint.config.text.rmsNormEps,
  };
}

function rotaryTable(g: Graph, { checkpoint, setting }: Source): RotaryTable {
  const { maxPositions, headDim, ropeTheta } = checkpoint.config.text;
  const columns = paddedHeadDim(headDim) / 2;
  const wave = (name: 'cos' | 'sin'): Value => {
    const matrix = rotaryMatrix(name, maxPositions, headDim, ropeTheta, columns);
    const stored = weight(`${MODEL}.rotary_emb.${name}`, matrix, { as: 'rows', type: 'float32' });
    return cast(g, tensor(g, stored, [matrix.rows, matrix.columns]), setting.activation);
  };
  return { cos: wave('cos'), sin: wave('sin') };
}
