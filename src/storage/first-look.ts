import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { absolute } from './absolute.ts';
import type { ApartOutput } from './apart.ts';
import { readError, writeError } from './io-errors.ts';
import { expectFreeOutput } from './output/final-name.ts';
import { expectVacant } from './output/vacant.ts';
import { isScheme } from './sources/open-bundle.ts';

/** Looks whether what is to be read is there, and may be read. @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
export function expectThere(path: string): void {
  if (path === '-' || isScheme(path)) return;
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw readError(error, path);
  }
}

/** Looks whether a file may be written there. @throws {BundleError} as `openOutput` does */
export function expectWritable(path: ApartOutput, overwrite: boolean): void {
  if (path === '-') return;
  expectFreeOutput(path, overwrite);
  try {
    statSync(dirname(absolute(path)));
  } catch (error) {
    throw writeError(error, path);
  }
}

/** Looks whether a folder may be made there. @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_FAILED` */
export function expectNewFolder(path: string): void {
  expectVacant(absolute(path), path);
}
