import type { Told } from '../../kit/errors/advice.ts';
import { rolePartOf } from '../bundle-part.ts';
import type { Foreign } from './foreign.ts';

const DETACHED: Told = {
  text: 'it is signed as the file that it is, by its publisher, with a detached signature beside it: verify the file with that',
  advice: 'sign-alone',
};

const IMAGE_STORE =
  'give it to the program that it is for, or take the disk out of it; what its publisher has signed, that program verifies';

/** [arc.7] Archives for other programs, by what they all have in them, or by how the file is called. */
const KINDS: readonly (Foreign & { readonly file?: RegExp; isOne(names: ReadonlySet<string>): boolean })[] = [
  {
    name: 'a Vagrant box',
    file: /\.box$/i,
    isOne: (names) =>
      names.has('Vagrantfile') ||
      names.has('box.ovf') ||
      names.has('box.img') ||
      (names.has('metadata.json') && [...names].some((name) => /^box[._-]|\.vmx$/i.test(name))),
    fix: DETACHED,
  },
  {
    name: 'a XenServer export (XVA)',
    file: /\.xva$/i,
    isOne: (names) => names.has('ova.xml') || [...names].some((name) => name.startsWith('Ref:')),
    fix: ['import it with xe vm-import, or have it exported as OVF/OVA', DETACHED],
  },
  {
    name: 'a container image (OCI)',
    isOne: (names) => names.has('oci-layout') || [...names].some((name) => /^blobs(\/|$)/.test(name)),
    fix: IMAGE_STORE,
  },
  {
    name: 'a container image, as docker save writes it',
    isOne: (names) =>
      (names.has('manifest.json') && names.has('repositories')) ||
      [...names].some((name) => /^[0-9a-f]{64}(\/|\.json$|\.tar$|$)/.test(name)),
    fix: IMAGE_STORE,
  },
];

/** What an archive is for that is no bundle, by the names of its members as far as they have been read, and its own. [arc.7] */
export function foreignArchive(members: readonly string[], file = ''): Foreign | undefined {
  if (members.some((name) => rolePartOf(name)?.kind === 'mf')) return undefined;
  const names = new Set(members.map((name) => name.replace(/^\.\//, '')));
  return KINDS.find((kind) => kind.isOne(names)) ?? KINDS.find((kind) => kind.file?.test(file));
}

/** The appliances among members: archives of their own that bring their signature. [inner.1] */
export function innerBundles(members: readonly string[]): readonly string[] {
  return members.filter(isInnerBundle);
}

/** Whether a member is an appliance, by its name. */
export function isInnerBundle(member: string): boolean {
  return /[^/]\.ova$/i.test(member);
}
