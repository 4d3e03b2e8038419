// What the browser is told of the app (the web app manifest). Read by the build, not by the page.

import type { ManifestOptions } from 'vite-plugin-pwa';
import { SHARE_FIELD, SHARE_PATH } from '../wire/shell-messages.ts';

/** Sound and video, by what systems call them. */
const RECORDINGS = {
  'audio/wav': ['.wav', '.wave'],
  'audio/aiff': ['.aif', '.aiff', '.aifc'],
  'audio/mpeg': ['.mp3', '.mp2'],
  'audio/mp4': ['.m4a', '.m4b'],
  'audio/aac': ['.aac'],
  'audio/flac': ['.flac'],
  'audio/ogg': ['.ogg', '.oga', '.opus'],
  'audio/webm': ['.weba'],
  'audio/x-matroska': ['.mka'],
  'video/mp4': ['.mp4', '.m4v'],
  'video/quicktime': ['.mov'],
  'video/webm': ['.webm'],
};

const SHORTCUT_ICON = [{ src: 'icon-192.png', sizes: '192x192', type: 'image/png' }];

const FILE_HANDLER = {
  action: './',
  accept: RECORDINGS,
  icons: SHORTCUT_ICON,
  launch_type: 'single-client' as const,
};

export const APP_MANIFEST = {
  name: 'Sotto',
  short_name: 'Sotto',
  description: 'Private speech-to-text for quiet voices. It runs on your own device.',
  lang: 'en',
  start_url: './',
  scope: './',
  display: 'standalone',
  theme_color: '#a33a1f',
  background_color: '#faf6ef',
  categories: ['productivity', 'utilities'],
  icons: [
    { src: 'icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
    { src: 'icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
    { src: 'icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
    { src: 'icon-maskable-192.png', sizes: '192x192', type: 'image/png', purpose: 'maskable' },
    { src: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
  ],
  shortcuts: [
    { name: 'Record', url: './#/record', icons: SHORTCUT_ICON },
    { name: 'Open a recording', short_name: 'Open', url: './#/open', icons: SHORTCUT_ICON },
    { name: 'Library', url: './#/library', icons: SHORTCUT_ICON },
  ],
  share_target: {
    action: `./${SHARE_PATH}`,
    method: 'POST',
    enctype: 'multipart/form-data',
    params: {
      files: [{ name: SHARE_FIELD, accept: ['audio/*', 'video/*', ...Object.values(RECORDINGS).flat()] }],
    },
  },
  file_handlers: [FILE_HANDLER],
  // A window at work is not navigated away from, and what is shared is not lost (a window that is only
  // focused does not get it).
  launch_handler: { client_mode: ['navigate-new', 'auto'] },
} satisfies Partial<ManifestOptions>;
