// The scenes: what happens to a clean clip on its way to the recording, as settings.
//
// `levelDbfs` is the active speech level (ITU-T P.56) of the speech as it arrives, behind room and line and
// before anything is added to it. Backgrounds have absolute levels (RMS).

import type { Noise } from './noise.ts';

export interface Background {
  readonly kind: Noise | 'music';
  readonly rmsDbfs: number;
}

export interface Scene {
  /** Short and fit for a file name. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Scenes of one group are compared: the five scenes, the levels, the noise floors. */
  readonly group: SceneGroup;
  readonly levelDbfs: number;
  /** `whispered`: a real whisper where the source is one, else a voice converted into one. */
  readonly voice: 'as spoken' | 'whispered';
  readonly path: 'close' | 'room' | 'telephone';
  readonly background?: Background;
}

export const SCENE_GROUPS = ['five', 'levels', 'floors'] as const;
export type SceneGroup = (typeof SCENE_GROUPS)[number];

/** Between speaker and microphone in the far-field scene. */
export const FAR_METERS = 3;

/**
 * The five scenes of the published low-volume test. Levels are the published ones; the backgrounds are ours:
 * 25 dB below the speech (a quiet room, a hissing line), music 12 dB below.
 */
const FIVE: readonly Scene[] = [
  scene('indoor', 'Indoor soft speech', -32, { background: { kind: 'room', rmsDbfs: -57 } }),
  scene('far', 'Far field, 3 m', -38, { path: 'room', background: { kind: 'room', rmsDbfs: -63 } }),
  scene('whisper', 'Whisper at night', -45, {
    voice: 'whispered',
    background: { kind: 'room', rmsDbfs: -70 },
  }),
  scene('music', 'Soft background music', -40, { background: { kind: 'music', rmsDbfs: -52 } }),
  scene('phone', 'Old phone', -36, { path: 'telephone', background: { kind: 'hiss', rmsDbfs: -61 } }),
];

/** The level alone: the same clip, louder and quieter, nothing added. */
const LEVELS: readonly Scene[] = [-10, -15, -20, -25, -30, -35, -40, -45, -50, -55, -60, -65].map((level) =>
  scene(`level${level}`, `${level} dBFS`.replace('-', '−'), level, { group: 'levels' }),
);

const FLOOR_SPEECH_DBFS = -45;

/** Speech at −45 dBFS over a rising noise floor. */
const FLOORS: readonly Scene[] = [-85, -75, -65, -60, -55, -50].map((floor) =>
  scene(`floor${floor}`, `−45 dBFS over ${floor} dBFS`.replace('-', '−'), FLOOR_SPEECH_DBFS, {
    group: 'floors',
    background: { kind: 'room', rmsDbfs: floor },
  }),
);

export const SCENES: readonly Scene[] = [...FIVE, ...LEVELS, ...FLOORS];

/** All scenes of a group, or the one of that name, in the order of SCENES. Undefined where there is neither. */
export function scenesOf(groupOrName: string): Scene[] | undefined {
  const found = SCENES.filter(({ group, name }) => group === groupOrName || name === groupOrName);
  return found.length > 0 ? found : undefined;
}

function scene(name: string, title: string, levelDbfs: number, rest: Partial<Scene>): Scene {
  return { name, title, group: 'five', levelDbfs, voice: 'as spoken', path: 'close', ...rest };
}
