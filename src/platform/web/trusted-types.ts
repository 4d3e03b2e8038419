// Under the page's policy (wire/page-policy.ts) a text becomes a script, a thread or markup only through a
// Trusted Types policy. This is ours: scripts of this site, nothing else. Page and worker.

interface Factory {
  createPolicy(name: 'default', rules: { createScriptURL(url: string): string | null }): unknown;
}

/** Lets scripts and threads of this site start; once per page or thread, before the first. */
export function trustOwnScripts(): void {
  const { trustedTypes, location } = globalThis as {
    trustedTypes?: Factory;
    location: { readonly href: string; readonly origin: string };
  };
  trustedTypes?.createPolicy('default', {
    createScriptURL: (url) => {
      const { origin, protocol } = new URL(url, location.href);
      // A blob's origin is that of who made it; what is in it may be anybody's.
      return origin === location.origin && protocol !== 'blob:' ? url : null;
    },
  });
}
