import type { Told } from '../../kit/errors/advice.ts';
import { bareDisk } from '../disk/bare-disk.ts';
import { holdsAt } from '../disk/header-bytes.ts';
import {
  FILE_ALONE,
  type Foreign,
  IMAGE_ALONE,
  PROGRAM_ALONE,
  SIGNED_BESIDE,
  unpackedBy,
} from './foreign.ts';
import { foreignText, isText } from './text-kinds.ts';

/** How many first bytes tell all kinds apart that are known: the superblock of Btrfs is what lies deepest. */
export const FOREIGN_HEAD_BYTES = 65_608;

const PROXMOX: Told = {
  text: 'unpack it on the Proxmox host (vma extract FILE FOLDER), and pack the disks',
  advice: 'pack-disks',
};
const PROXMOX_PACKED: Told = {
  text: 'if it is a backup of Proxmox (.vma), unpack that on its host (vma extract FILE FOLDER), and pack the disks',
  advice: 'pack-disks',
};

/** Of each block size, and then the first block. */
const BZIP2 = Array.from('123456789', (size) => `BZh${size}1AY&SY`.slice(0, 7));

/** What the first bytes of other files are; of two that fit the first one. */
const KINDS: readonly (Foreign & { readonly magic: readonly string[] })[] = [
  { name: 'a Proxmox VMA backup', magic: ['VMA\0'], fix: PROXMOX },
  { name: 'a zip archive', magic: ['PK\x03\x04', 'PK\x05\x06'], unpacker: '' },
  { name: 'an xz file', magic: ['\xFD7zXZ'], unpacker: 'xz -dc' },
  { name: 'an lzma file', magic: ['\x5D\0\0\x80\0', '\x5D\0\0\0\x01', '\x5D\0\0\0\x04'], unpacker: 'xz -dc' },
  { name: 'a Zstandard file', magic: ['\x28\xB5\x2F\xFD'], unpacker: 'zstd -dc', fix: PROXMOX_PACKED },
  { name: 'a bzip2 file', magic: [...BZIP2, 'BZh'], unpacker: 'bzip2 -dc' },
  { name: 'an LZ4 file', magic: ['\x04\x22\x4D\x18', '\x02\x21\x4C\x18'], unpacker: 'lz4 -dc' },
  { name: 'an lzip file', magic: ['LZIP'], unpacker: 'lzip -dc' },
  { name: 'an lzop file', magic: ['\x89LZO\0\r\n\x1A\n'], unpacker: 'lzop -dc', fix: PROXMOX_PACKED },
  { name: 'a compress file (.Z)', magic: ['\x1F\x9D'], unpacker: 'gzip -dc' },
  { name: 'gzip again', magic: ['\x1F\x8B'], unpacker: '' },
  { name: 'a 7z archive', magic: ['7z\xBC\xAF'], fix: unpackedBy('7z x FILE') },
  { name: 'a RAR archive', magic: ['Rar!\x1A\x07'], fix: unpackedBy('unrar x FILE') },
  { name: 'a cabinet file', magic: ['MSCF\0\0\0\0'], fix: unpackedBy('cabextract FILE') },
  { name: 'a xar archive, such as an installer of macOS', magic: ['xar!'], fix: unpackedBy('xar -xf FILE') },
  { name: 'a cpio archive', magic: ['070701', '070702', '070707'], fix: unpackedBy('cpio -id') },
  { name: 'a Windows image (WIM)', magic: ['MSWIM\0\0\0'], fix: FILE_ALONE },
  { name: 'a Debian package', magic: ['!<arch>\ndebian-binary'], fix: unpackedBy('dpkg-deb -x FILE FOLDER') },
  { name: 'an ar archive', magic: ['!<arch>\n'], fix: unpackedBy('ar x FILE') },
  { name: 'an RPM package', magic: ['\xED\xAB\xEE\xDB'], fix: unpackedBy('rpm2cpio FILE, and cpio') },
  {
    name: 'one volume of a split bundle',
    magic: ['bulla-v'],
    fix: { text: 'put the volumes together first', advice: 'join' },
  },
  { name: 'a program (ELF)', magic: ['\x7FELF'], fix: PROGRAM_ALONE },
  { name: 'a program of Windows', magic: ['MZ'], fix: PROGRAM_ALONE },
  {
    name: 'a program of macOS',
    magic: ['\xCF\xFA\xED\xFE', '\xCE\xFA\xED\xFE', '\xCA\xFE\xBA\xBE'],
    fix: FILE_ALONE,
  },
  {
    name: 'an OLE file, such as an installer (MSI) or a document',
    magic: ['\xD0\xCF\x11\xE0'],
    fix: FILE_ALONE,
  },
  { name: 'a PDF document', magic: ['%PDF-'], fix: FILE_ALONE },
  { name: 'a picture', magic: ['\x89PNG\r\n', '\xFF\xD8\xFF', 'GIF8'], fix: FILE_ALONE },
  { name: 'a file encrypted by openssl', magic: ['Salted__'], fix: 'decrypt it, and give what comes out' },
];

/** [arc.6] ContentInfo of RFC 5652, its length in two bytes or less, and the type signedData. */
const CMS = /^\x30[\x80-\x84][\s\S]{0,4}\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02/;

/** So few letters a text may begin with by chance. */
const FEW_LETTERS = 4;

/**
 * What begins so, where it is of a kind that is known and no bundle: its name, and how the word of its publisher is kept.
 * `head` are the first bytes, as many as there are of `FOREIGN_HEAD_BYTES`; with fewer, less is known. [arc.6]
 */
export function foreignContent(head: Uint8Array): Foreign | undefined {
  const few = isText(head) ? FEW_LETTERS : 0;
  const known = KINDS.find(({ magic }) => magic.some((one) => one.length > few && holdsAt(head, 0, one)));
  if (known) return known;
  const disk = bareDisk(head);
  if (disk !== undefined) return { name: disk, fix: IMAGE_ALONE };
  if (CMS.test(String.fromCharCode(...head.subarray(0, 20))))
    return { name: 'a CMS signature', fix: SIGNED_BESIDE };
  return foreignText(head);
}

/** What to do about it, when it came as it is, or out of a gzip; nothing where that is what is done about any file. */
export function foreignFix({ unpacker, fix = [] }: Foreign, from: 'file' | 'gzip'): readonly Told[] {
  const told = [fix].flat();
  if (unpacker === undefined) return told;
  const [first, ...others] = [...(from === 'gzip' ? ['gzip -dc'] : []), unpacker].filter((one) => one !== '');
  const of = [`${first} FILE`, ...others].join(' | ');
  const text = `unpack it on the way, which keeps the signature of its publisher; what is to be verified comes out of: ${of}`;
  return [{ text, advice: 'pipe-unpacked', of }, ...told];
}
