import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { VerifyOptions } from '../../src/operations/verify/options.ts';
import { JUDGED_AT, testAuthority } from './bundles.ts';

/** A folder of its own for a test, gone with it. */
export interface Sandbox extends Disposable {
  readonly folder: string;
  path(name: string): string;
  /** writes a file, the folders above it made, and gives its path */
  write(name: string, content: Uint8Array | string): string;
  /** everything in the folder, sorted; folders end in `/` */
  list(): readonly string[];
}

/** Makes a sandbox below `parent`, which is the system's place for such things unless told otherwise. */
export function makeSandbox(parent: string = tmpdir()): Sandbox {
  const folder = realpathSync(mkdtempSync(join(parent, 'bulla-test-')));
  const path = (name: string): string => join(folder, name);
  return {
    folder,
    path,
    write: (name, content) => {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), content);
      return path(name);
    },
    list: () => listed(folder, ''),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A folder for all the tests of a file, or of the `describe` that asks for it; gone after the last of them. */
export function folderForTests(): string {
  const sandbox = makeSandbox();
  afterAll(() => sandbox[Symbol.dispose]());
  return sandbox.folder;
}

function listed(folder: string, prefix: string): readonly string[] {
  const entries = readdirSync(join(folder, prefix), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const name = `${prefix}${entry.name}`;
      return entry.isDirectory() ? [`${name}/`, ...listed(folder, `${name}/`)] : [name];
    })
    .sort();
}

/** Options that trust `testAuthority`, whose certificate is put into `sandbox`, at the time that tests judge at. */
export async function trusting(sandbox: Sandbox): Promise<VerifyOptions> {
  const { pem } = await testAuthority();
  return { trust: { anchors: [sandbox.write('.trust/ca.pem', pem)] }, at: JUDGED_AT };
}
