// What crosses between who fetches a file and the thread that hashes it. Every message gets one answer, in order.

export type ToHashThread =
  /** First. `state`: what an earlier hash was put aside as. */
  | { readonly type: 'start'; readonly state: Uint8Array | undefined }
  /** The first `bytes` of a buffer, which is moved there and comes back. */
  | { readonly type: 'update'; readonly buffer: ArrayBuffer; readonly bytes: number }
  | { readonly type: 'save' }
  | { readonly type: 'digest' };

export type FromHashThread =
  | { readonly type: 'started' }
  | { readonly type: 'updated'; readonly buffer: ArrayBuffer }
  | { readonly type: 'saved'; readonly state: Uint8Array }
  | { readonly type: 'digest'; readonly hex: string }
  | { readonly type: 'failed'; readonly message: string };
