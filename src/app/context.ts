// How components reach the page's state without handing it down by hand.

import { createContext } from 'svelte';
import type { Page } from './state/page.svelte.ts';

export const [getPage, setPage] = createContext<Page>();
