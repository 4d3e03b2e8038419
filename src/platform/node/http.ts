// The way out to the network: through the proxy that the environment names, if it does.

import { EnvHttpProxyAgent, fetch } from 'undici';
import type { HttpFetch } from '../install/http.ts';

/** A fetch that heeds HTTP_PROXY, HTTPS_PROXY and NO_PROXY (also in lower case). */
export function nodeHttp(): HttpFetch {
  const dispatcher = new EnvHttpProxyAgent();
  return (url, init) => fetch(url, { ...init, dispatcher });
}
