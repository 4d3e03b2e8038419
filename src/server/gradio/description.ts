// What Gradio's clients are told of us: one function, `/transcribe`.

/** Any version of the five-series speaks this protocol. */
const GRADIO_VERSION = '5.49.1';

export const FN_INDEX = 1; // clients lose type information on 0
export const API_NAME = 'transcribe';

interface Described {
  readonly id: number;
  readonly label: string;
  readonly component: string;
  readonly type: object;
  readonly python: string;
  /** undefined: has to be given. */
  readonly fallback?: unknown;
  readonly example: unknown;
}

const FILE_SCHEMA = {
  type: 'object',
  title: 'FileData',
  properties: {
    path: { type: 'string' },
    orig_name: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    meta: { type: 'object' },
  },
};
const text = { component: 'Textbox', type: { type: 'string' }, python: 'str' };
const checkbox = { component: 'Checkbox', type: { type: 'boolean' }, python: 'bool' };

// prettier-ignore
const INPUTS: Readonly<Record<string, Described>> = {
  audio: { id: 1, label: 'Recording', component: 'Audio', type: FILE_SCHEMA, python: 'filepath', example: { path: 'recording.wav', meta: { _type: 'gradio.FileData' } } },
  model: { id: 2, label: 'Model', ...text, fallback: '', example: 'sample' },
  gain: { id: 3, label: 'Lift quiet speech', ...checkbox, fallback: true, example: true },
  voice_detection: { id: 4, label: 'Read only speech', ...checkbox, fallback: true, example: true },
};

// prettier-ignore
const OUTPUTS: readonly Described[] = [
  { id: 5, label: 'Text', ...text, example: 'Good morning.' },
  { id: 6, label: 'Segments', component: 'JSON', type: {}, python: 'list', example: [{ start: 0, end: 1.5, text: 'Good morning.' }] },
];

/** In the order in which calls give them. */
export const PARAMETERS: readonly string[] = Object.keys(INPUTS);

/** /config. Without `root`, clients keep the address that they were given, which survives proxies. */
export function gradioConfig(version: string, maxFileBytes: number): object {
  return {
    version: GRADIO_VERSION,
    app_id: version,
    protocol: 'sse_v3',
    api_prefix: '/gradio_api',
    mode: 'interface',
    title: 'Sotto',
    enable_queue: true,
    show_error: true,
    show_api: true,
    is_space: false,
    is_colab: false,
    space_id: null,
    username: null,
    connect_heartbeat: false,
    max_file_size: maxFileBytes,
    components: [...Object.values(INPUTS), ...OUTPUTS].map(({ id, label, component, type }) => ({
      id,
      type: component.toLowerCase(),
      props: { label, name: component.toLowerCase() },
      api_info: type,
      skip_api: false,
    })),
    dependencies: [
      {
        id: FN_INDEX,
        targets: [[1, 'change']],
        inputs: Object.values(INPUTS).map(({ id }) => id),
        outputs: OUTPUTS.map(({ id }) => id),
        api_name: API_NAME,
        api_visibility: 'public',
        show_api: true,
        backend_fn: true,
        js: null,
        queue: true,
        batch: false,
        cancels: [],
        types: { generator: true, cancel: true },
        zerogpu: false,
      },
    ],
  };
}

/** /gradio_api/info. */
export function gradioInfo(): object {
  return {
    named_endpoints: {
      [`/${API_NAME}`]: {
        parameters: Object.entries(INPUTS).map(([name, one]) => ({
          parameter_name: name,
          parameter_has_default: 'fallback' in one,
          parameter_default: one.fallback ?? null,
          example_input: one.example,
          ...valueOf(one),
        })),
        returns: OUTPUTS.map(valueOf),
        api_visibility: 'public',
        show_api: true,
      },
    },
    unnamed_endpoints: {},
  };
}

function valueOf({ label, type, python, component }: Described): object {
  return { label, type, python_type: { type: python, description: '' }, component };
}
