// The door of the page: takes what belongs to the browser, puts the page together, shows it.

import { mount } from 'svelte';
import { isAsrError } from '../errors.ts';
import { connectWorker } from '../platform/web/engine-client.ts';
import { openCapture, PROCESSINGS } from '../platform/web/capture.ts';
import { Journal } from '../platform/web/journal.ts';
import { connectServer } from '../platform/web/server-engine.ts';
import { browserLibrary } from '../platform/web/shard-store.ts';
import { trustOwnScripts } from '../platform/web/trusted-types.ts';
import workletUrl from '../../workers/audio/capture.worklet.ts?worker&url';
import App from './App.svelte';
import './app.css';
import { Page } from './state/page.svelte.ts';
import { LibraryStore } from './storage/library-store.ts';

trustOwnScripts();

/** Where this copy of the page lies, with a slash at its end. */
const base = new URL('./', document.baseURI).href;

const page: Page = new Page({
  bar: window,
  choices: allowedStorage(),
  languages: navigator.languages,
  transcripts: new LibraryStore(),
  models: browserLibrary(),
  connect: (request, onLoad) => {
    if (request.server !== undefined) return connectServer(request.server, onLoad);
    const worker = new Worker(new URL('../../workers/asr.worker.ts', import.meta.url), { type: 'module' });
    return connectWorker(worker, request, onLoad);
  },
  startConverter: () =>
    new Worker(new URL('../../workers/convert.worker.ts', import.meta.url), { type: 'module' }),
  openFile: async (file) => {
    const { openAudioFile } = await import('../platform/web/decode-file.ts');
    try {
      return await openAudioFile(file);
    } catch (error) {
      // Where a server was chosen, audio goes there anyway, and it may know more kinds of files.
      if (page.settings.server === '' || !isAsrError(error) || error.code !== 'audio-unsupported')
        throw error;
      return (await import('../platform/web/server-sound.ts')).openOnServer(file, page.serverAddress);
    }
  },
  openMicrophone: (source, title, listener) => {
    const { settings } = page;
    const wish = {
      ...{ source, title, gain: true, deviceId: settings.microphone || undefined },
      processing: PROCESSINGS.filter((processing) => settings[processing]),
    };
    const startJournal = (): Worker =>
      new Worker(new URL('../../workers/journal.worker.ts', import.meta.url), { type: 'module' });
    return openCapture(wish, { workletUrl, startJournal }, listener);
  },
  journal: new Journal(),
  audio: new Audio(),
  modelFolder: `${base}models/`,
  clipFolder: `${base}clips/`,
});

const target = document.getElementById('page');
if (target !== null) mount(App, { target, props: { page } });
void page.load();
// While the page is being worked on, nothing stands between it and its files.
if (import.meta.env.PROD) void page.shell.start(base);

/** Some browsers throw where storage is switched off. */
function allowedStorage(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}
