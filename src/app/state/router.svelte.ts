// Where on the page the user is. Addresses are hashes, so that any static host will do.

export type Route =
  | { readonly at: 'home' }
  | { readonly at: 'library' }
  | { readonly at: 'transcript'; readonly id: string }
  | { readonly at: 'lab' };

/** What of the browser's window is used. */
export interface AddressBar {
  readonly location: { hash: string };
  addEventListener(type: 'hashchange', listener: () => void): void;
}

export class Router {
  route = $state.raw<Route>({ at: 'home' });
  readonly #bar: AddressBar;

  constructor(bar: AddressBar) {
    this.#bar = bar;
    this.route = parseRoute(bar.location.hash);
    bar.addEventListener('hashchange', () => (this.route = parseRoute(bar.location.hash)));
  }

  go(route: Route): void {
    this.#bar.location.hash = addressOf(route);
    this.route = route;
  }
}

export function parseRoute(hash: string): Route {
  const [place = '', id = ''] = hash.replace(/^#?\/?/, '').split('/');
  switch (place) {
    case 'library':
      return { at: 'library' };
    case 'text':
      return id === '' ? { at: 'library' } : { at: 'transcript', id: decodeURIComponent(id) };
    case 'lab':
      return { at: 'lab' };
    default:
      return { at: 'home' };
  }
}

export function addressOf(route: Route): string {
  switch (route.at) {
    case 'home':
      return '#/';
    case 'library':
      return '#/library';
    case 'transcript':
      return `#/text/${encodeURIComponent(route.id)}`;
    case 'lab':
      return '#/lab';
  }
}
