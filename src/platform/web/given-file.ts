// A file that the user picked or dropped.

/** By where it lay: `folder/manifest.json`. */
export interface GivenFile {
  readonly path: string;
  readonly file: File;
}
