// Everything that the page is made of, put together once. The door (main.ts) brings what belongs to the
// browser; tests bring their own.

import type { ModelLibrary } from '../../ports.ts';
import type { GivenFile } from '../../platform/web/given-file.ts';
import { PATH_LABELS, stepDownSentence } from '../i18n/choices.ts';
import * as m from '../i18n/paraglide/messages.js';
import { Speech } from '../i18n/speech.svelte.ts';
import type { LibraryStore } from '../storage/library-store.ts';
import { CutOff, type CutOffJournal } from './cut-off.svelte.ts';
import { Device } from './device.svelte.ts';
import { probeServer, type ServerAddress, type ServerInfo } from '../../platform/web/server-engine.ts';
import { type Connect, EngineRoom, type StepDown } from './engine-room.svelte.ts';
import { failureOf } from './failure.ts';
import { Library } from './library.svelte.ts';
import { Models } from './models.svelte.ts';
import { Announcer, Notices } from './notices.svelte.ts';
import { Player } from './player.svelte.ts';
import { type OpenFile, Queue, type QueueItem } from './queue.svelte.ts';
import { type OpenMicrophoneDoor, Recorder } from './recorder.svelte.ts';
import { type AddressBar, Router } from './router.svelte.ts';
import { type SampleClip, Samples } from './samples.svelte.ts';
import { type ChoiceStorage, SAMPLE_MODEL, Settings } from './settings.svelte.ts';
import { Shell, type ShellPage } from './shell.svelte.ts';
import { sentenceFor } from '../i18n/failures.ts';

/** What lies over the page. */
export type Card = 'none' | 'trust' | 'model' | 'device' | 'settings' | 'shortcuts' | 'server';

/** What the page takes from the machine. */
export interface PageDoors {
  readonly bar: AddressBar;
  readonly choices: ChoiceStorage | undefined;
  /** The reader's languages, best first. */
  readonly languages: readonly string[];
  readonly transcripts: LibraryStore;
  readonly models: ModelLibrary;
  readonly connect: Connect;
  readonly openFile: OpenFile;
  /** Undefined where nothing opens a microphone. */
  readonly openMicrophone: OpenMicrophoneDoor | undefined;
  /** Recordings under way; undefined where nothing opens a microphone. */
  readonly journal: CutOffJournal | undefined;
  readonly audio: HTMLAudioElement;
  /** Addresses of `models/` and `clips/` beside the page, with a slash at their ends. */
  readonly modelFolder: string;
  /** The thread that turns checkpoints into models (workers/convert.worker.ts). */
  readonly startConverter: () => Worker;
  readonly clipFolder: string;
}

export class Page {
  readonly settings: Settings;
  readonly speech: Speech;
  readonly router: Router;
  readonly notices = new Notices();
  readonly announcer = new Announcer();
  readonly library: Library;
  readonly models: Models;
  readonly samples: Samples;
  readonly room: EngineRoom;
  readonly device: Device;
  readonly queue: Queue;
  readonly recorder: Recorder;
  readonly cutOff: CutOff;
  readonly player: Player;
  /** Opens a file as sound, for those that read by themselves. */
  readonly openFile: OpenFile;
  readonly shell: Shell;
  card = $state<Card>('none');
  /** The address of a server that the page was just opened for. */
  wantedServer = '';
  /** The server that this page came from, if it is one that reads. */
  serverHere = $state.raw<ServerInfo | undefined>();
  readonly #home: string;

  constructor(doors: PageDoors) {
    this.#home = new URL('../', doors.modelFolder).href;
    this.settings = new Settings(doors.choices);
    this.speech = new Speech(doors.languages);
    this.speech.wished = this.settings.locale;
    this.router = new Router(doors.bar);
    this.library = new Library(doors.transcripts, this.settings);
    this.models = new Models(doors.models, this.settings, doors.modelFolder, doors.startConverter);
    this.samples = new Samples(doors.clipFolder, doors.openFile);
    this.room = new EngineRoom(
      doors.connect,
      async () => {
        const { id } = this.models.current;
        const clip = await this.samples.golden();
        return {
          model:
            id === SAMPLE_MODEL ? { at: 'url', baseUrl: this.models.sampleAddress } : { at: 'stored', id },
          device: this.settings.device,
          ...(clip && { golden: { clip, exact: id === SAMPLE_MODEL } }),
          ...(this.settings.server !== '' && { server: this.serverAddress }),
        };
      },
      (steps) => this.#sayStepDown(steps),
    );
    this.device = new Device(doors.connect, this.room);
    this.queue = new Queue(this.library, this.room, doors.openFile);
    this.recorder = new Recorder(doors.openMicrophone, this.queue, this.library, this.room, this.settings);
    this.cutOff = new CutOff(doors.journal, this.queue, this.library);
    this.player = new Player(doors.audio);
    this.openFile = doors.openFile;
    this.shell = new Shell(this.#forShell());
  }

  async load(): Promise<void> {
    await Promise.all([
      this.library.load(),
      this.models.load().then(() => this.#findServer()),
      this.samples.load(),
      this.device.load(),
      this.cutOff.load(),
    ]);
  }

  /** The server that the user has chosen to read. */
  get serverAddress(): ServerAddress {
    const { server: url, serverKey: key } = this.settings;
    return { url, ...(key !== '' && { key }) };
  }

  /** Something would be lost if the page were closed now. */
  get busy(): boolean {
    return this.queue.busy || this.recorder.busy || this.library.hasUnsaved;
  }

  /** Recordings to read, or a model to keep: whatever was dropped, picked or pasted. */
  async take(given: readonly GivenFile[]): Promise<void> {
    if (given.some(({ path }) => path.endsWith('manifest.json'))) {
      this.card = 'model';
      await this.models.get({ from: 'files', files: given });
      return;
    }
    const files = soundFiles(given);
    if (files.length === 0) {
      if (given.length > 0) this.notices.show(m.queue_nothing_to_read);
      return;
    }
    const [first] = this.queue.add(files);
    if (files.length > 1) {
      this.router.go({ at: 'home' });
      this.announcer.say(m.queue_added({ count: files.length }));
    } else if (first !== undefined) this.#showOnceRead(first);
  }

  /** Fetches a model, once the page may reach its address. */
  getModel(address: string): void {
    if (this.shell.mayReach(address, 'model')) void this.models.get({ from: 'address', address });
  }

  async takeSample(clip: SampleClip): Promise<void> {
    try {
      const [item] = this.queue.add([await this.samples.file(clip)], 'sample');
      if (item !== undefined) this.#showOnceRead(item);
    } catch (error) {
      const { code } = failureOf(error);
      this.notices.show(() => sentenceFor(code));
    }
  }

  async deleteTranscript(id: string, title: string): Promise<void> {
    const { route } = this.router;
    if (route.at === 'transcript' && route.id === id) this.router.go({ at: 'library' });
    try {
      const putBack = await this.library.delete(id);
      this.notices.show(() => m.deleted({ name: title }), { label: m.undo_short, run: putBack });
    } catch (error) {
      const { code } = failureOf(error);
      this.notices.show(() => sentenceFor(code));
    }
  }

  /** What the shell needs of the page. */
  #forShell(): ShellPage {
    const isBusy = (): boolean => this.busy;
    const provider = (): 'webgpu' | 'wasm' => {
      if (this.room.state.at === 'ready')
        return this.room.state.info.provider === 'webgpu' ? 'webgpu' : 'wasm';
      const adapter = this.device.facts?.adapter;
      return adapter !== undefined && !adapter.software ? 'webgpu' : 'wasm';
    };
    return {
      get busy() {
        return isBusy();
      },
      get provider() {
        return provider();
      },
      take: (files) => void this.take(files.map((file) => ({ path: file.name, file }))),
      flush: () => this.library.flush(),
      start: (what) => {
        if (what === 'record')
          void this.recorder.start(m.record_title({ date: this.speech.dateAndTime(Date.now()) }));
        else setTimeout(() => document.getElementById('open-recordings')?.focus());
      },
      goOn: (address, purpose) => {
        this.card = purpose;
        if (purpose === 'model') void this.models.get({ from: 'address', address });
        else this.wantedServer = address;
      },
      cannotOpen: (address) => this.notices.show(() => m.open_address_impossible({ address })),
    };
  }

  /** Only a host that offers models may be a server of ours: others are not asked for what they cannot know. */
  async #findServer(): Promise<void> {
    if (!this.models.hostOffers) return;
    this.serverHere = await probeServer({ url: this.#home }).catch(() => undefined); // it is no server of ours
  }

  /** The reader hears when a better way of computing was given up, and why. */
  #sayStepDown(steps: readonly StepDown[]): void {
    const given = steps.find(({ reason }) => reason !== 'missing');
    const { inUse } = this.device;
    if (given === undefined || inUse === undefined) return;
    this.notices.show(() => `${stepDownSentence(given)} ${m.reads_instead({ way: PATH_LABELS[inUse]() })}`);
  }

  /** A single recording is shown as soon as there is something to see, unless the user has gone elsewhere. */
  #showOnceRead(item: QueueItem): void {
    void item.started.then((id) => {
      if (this.router.route.at === 'home') this.router.go({ at: 'transcript', id });
    });
  }
}

const SOUND_NAME =
  /\.(wav|wave|aif|aiff|aifc|mp3|mp2|m4a|m4b|mp4|m4v|mov|aac|flac|ogg|oga|opus|webm|weba|mka|mkv|3gp|amr|caf|wma|au|snd|avi|mpg|mpeg|ts)$/i;

/**
 * What a person dropped on its own is taken as it is; of a folder, what looks like sound.
 */
function soundFiles(given: readonly GivenFile[]): File[] {
  return given
    .filter(({ path, file }) => {
      if (!path.includes('/')) return true;
      return !file.name.startsWith('.') && (/^(audio|video)\//.test(file.type) || SOUND_NAME.test(file.name));
    })
    .map(({ file }) => file);
}
