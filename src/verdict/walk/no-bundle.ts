import { rolePartOf } from '../../formats/bundle-part.ts';
import { foreignArchive, innerBundles } from '../../formats/foreign/archive-kinds.ts';
import { printable } from '../../kit/encoding.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** What an archive without a manifest has in its place, and what to do with it. */
export interface NoBundle {
  /** the rest of a sentence that says what is missing */
  readonly what?: string;
  readonly fix?: Told | readonly Told[];
  /** the same for whoever is to sign it [show.7] */
  readonly own?: Told | readonly Told[];
}

/** What there is in place of a manifest, by the names of the members: bundles inside of it, what other programs read, or a descriptor alone. [inner.1] [arc.7] */
export function inPlaceOfBundle(members: readonly string[]): NoBundle {
  const foreign = foreignArchive(members);
  if (foreign) {
    const { name, fix } = foreign;
    return { what: `: this is ${name}`, ...(fix !== undefined && { fix, own: fix }) };
  }
  const descriptor = members.find((name) => rolePartOf(name)?.kind === 'ovf');
  if (descriptor !== undefined) return unsignedExport(descriptor);
  const inside = innerBundles(members);
  const [one] = inside;
  if (one === undefined) return inFolder(members);
  if (inside.length > 1)
    return {
      what: `; ${listed(inside)} are inside, and are what to verify`,
      fix: 'unpack it, and verify the one that you want: each brings a signature of its own, and nothing speaks for the archive around them',
      own: { text: 'unpack it, and sign each of them by itself', advice: 'sign' },
    };
  return {
    what: `; "${one}" is inside, and is what to verify`,
    fix: {
      text: `unpack it, and verify "${one}", which brings its own signature; or have it verified where it is`,
      advice: 'verify-inner',
      of: one,
    },
    own: { text: `unpack it, and sign "${one}" by itself`, advice: 'sign' },
  };
}

/** A package whose folder has been packed, and not what is in it: its signature is good where it was made. */
function inFolder(members: readonly string[]): NoBundle {
  const [, folder] = members.map((name) => /^(.+)\/[^/]+\.ovf$/i.exec(name)).find((found) => found) ?? [];
  if (folder === undefined) return {};
  const isSigned = members.some(
    (name) => name.startsWith(`${folder}/`) && /^[^/]+\.cert$/i.test(name.slice(folder.length + 1)),
  );
  const kept = isSigned ? ': the signature in it is kept' : '';
  const text = `unpack it, and verify the folder "${printable(folder)}" that comes out${kept}`;
  const own = 'unpack it, and pack what is in the folder, not the folder itself';
  return {
    what: `: its files are in the folder "${printable(folder)}", and not at its top`,
    fix: { text, advice: 'verify-folder', of: folder },
    own: { text: own, advice: 'pack-unpacked', of: folder },
  };
}

/** [relax.8] Exports of oVirt, and of others that sign nothing. */
function unsignedExport(descriptor: string): NoBundle {
  const own = 'sign what it describes';
  const text = `ask the publisher for a signed bundle; if it is your own export, ${own}`;
  return {
    fix: { text, advice: 'sign-export', of: descriptor },
    own: { text: own, advice: 'sign-export', of: descriptor },
  };
}

/** Names in quotes, the first few of them. */
export function listed(names: readonly string[]): string {
  const some = names.slice(0, 4).map((name) => `"${name}"`);
  return names.length > some.length
    ? `${some.join(', ')} and ${names.length - some.length} more`
    : some.join(' and ');
}

/** The fault of an archive of another program, which says what it is. [arc.7] */
export function namedFault(fault: BundleError, members: readonly string[], file: string): BundleError {
  if (!OF_FORM.has(fault.code)) return fault;
  const { where, why, cause } = fault;
  const known = foreignArchive([...members, ...(where.member === undefined ? [] : [where.member])], file);
  if (!known?.fix) return fault;
  return new BundleError(fault.code, `${known.name} is no bundle: ${fault.message}`, {
    where,
    why,
    fix: known.fix,
    cause,
  });
}

/** What tools write who make no bundles. */
const OF_FORM: ReadonlySet<BundleError['code']> = new Set([
  'ARCHIVE_TYPE',
  'ARCHIVE_NAME',
  'ARCHIVE_HEADER',
  'ARCHIVE_PAX',
]);
