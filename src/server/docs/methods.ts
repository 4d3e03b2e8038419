// Which methods an address takes, from the API's description.

import { openApiDocument } from './openapi.ts';

const VERBS = ['get', 'post', 'put', 'delete', 'patch'];

/** For addresses that the description names: what they can be asked with. */
export function describedMethods(): (path: string) => readonly string[] | undefined {
  const { paths } = openApiDocument('') as { paths: Record<string, object> };
  const addresses = Object.entries(paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
    methods: methodsOf(Object.keys(operations).filter((key) => VERBS.includes(key))),
  }));
  return (path) => addresses.find(({ pattern }) => pattern.test(path))?.methods;
}

function methodsOf(verbs: readonly string[]): string[] {
  const named = verbs.map((verb) => verb.toUpperCase());
  return [...named, ...(verbs.includes('get') ? ['HEAD'] : []), 'OPTIONS'];
}
