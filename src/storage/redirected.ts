import { fstatSync } from 'node:fs';

/** A standard stream that is written to. */
export type StandardOutput = 1 | 2;

/** The standard streams that are written to and have been redirected to a file. */
export function streamsToFiles(): readonly StandardOutput[] {
  return ([1, 2] as const).filter((descriptor) => {
    try {
      return fstatSync(descriptor).isFile();
    } catch {
      return false; // it is closed
    }
  });
}
