import { basename, dirname } from 'node:path';
import { rolePartOf } from '../../formats/bundle-part.ts';
import type { BundleSource, SourceOptions } from '../../kit/source.ts';
import { isFolder } from '../beside.ts';
import { parseAddress } from './https-source.ts';
import { type BundleInput, openSource } from './open-source.ts';

/**
 * Opens a bundle in any form: an archive, or a package of files, named by its folder, by its descriptor or by its manifest.
 *
 * @throws {BundleError} as `openSource` does; of a package nothing but what was named has been looked at
 * @see spec/package.md, clause pkg.1
 */
export async function openBundle(input: BundleInput, options: SourceOptions): Promise<BundleSource> {
  if (typeof input !== 'string' || input === '-') return openSource(input, options);
  if (/^https:\/\//i.test(input)) {
    const address = parseAddress(input);
    const asked = lastName(address);
    const base = packageBase(asked);
    if (base === undefined) return openSource(input, options);
    const { openServerSource } = await import('./server-source.ts');
    return openServerSource(address, { asked, base }, options);
  }
  const place = packagePlace(input);
  if (!place) return openSource(input, options);
  const { openFolderSource } = await import('./folder-source.ts'); // most bundles are archives
  return openFolderSource(input, { ...options, ...place });
}

/** The folder of a package of files on this machine, and which package of it was named; undefined for any other input. [pkg.1] */
export function packagePlace(
  input: string,
): { readonly folder: string; readonly named?: string; readonly base?: string } | undefined {
  if (input === '-' || isScheme(input)) return undefined;
  if (isFolder(input)) return { folder: input };
  const named = basename(input);
  const base = packageBase(named);
  return base === undefined ? undefined : { folder: dirname(input), named, base };
}

/** Whether this names a folder on this machine. */
export function namesFolder(input: string): boolean {
  return input !== '-' && !isScheme(input) && isFolder(input);
}

/** What the parts of a package have in common, by the name of its descriptor or manifest. */
function packageBase(name: string): string | undefined {
  const { kind, base } = rolePartOf(name) ?? {};
  return kind === 'ovf' || kind === 'mf' ? base : undefined;
}

function lastName({ pathname }: URL): string {
  const last = pathname.slice(pathname.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last; // a percent sign that stands for itself
  }
}

/** Whether this is an address, of whatever kind, and no name on this machine. */
export function isScheme(input: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(input);
}
