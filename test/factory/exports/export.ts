import { createHash } from 'node:crypto';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import type { NamedBytes } from '../bundles.ts';

/** A file of an export, and what is in it. */
export interface ExportedFile extends NamedBytes {
  readonly kind: 'disk' | 'iso' | 'nvram';
  /** of disks, in bytes */
  readonly capacity?: number;
}

/** The machine that is exported. */
export interface Exported {
  /** of the package and the machine */
  readonly name: string;
  readonly files: readonly ExportedFile[];
  readonly network: string;
  /** what starts it */
  readonly firmware: 'bios' | 'efi';
}

export const CIM = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2';
export const STREAM_OPTIMIZED = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';

/** Lines of an element with what is in it, each deeper by two. */
export function element(tag: string, ...inside: readonly string[]): string {
  const [name = ''] = tag.split(' ', 1);
  const lines = inside.flatMap((each) => each.split('\n')).map((line) => `  ${line}`);
  return `<${tag}>\n${lines.join('\n')}\n</${name}>`;
}

/** A device, its properties in the order of the alphabet as both products write them. */
export function item(
  properties: Readonly<Record<string, string | number>>,
  { tag = 'Item', prefix = 'rasd' } = {},
): string {
  const names = Object.keys(properties).sort();
  return element(tag, ...names.map((name) => `<${prefix}:${name}>${properties[name]}</${prefix}:${name}>`));
}

/** The files of `References`; VirtualBox gives no sizes. */
export function fileElements(files: readonly ExportedFile[], size: boolean): readonly string[] {
  return files.map(
    ({ name, bytes }, at) =>
      `<File ovf:href="${name}" ovf:id="file${at + 1}"${size ? ` ovf:size="${bytes.byteLength}"` : ''}/>`,
  );
}

/** The files of an export with its manifest, each line as the product writes them. */
export function withManifest(
  { name, files }: Exported,
  descriptor: string,
  line: (file: string, hex: string) => string,
  digest: 'sha1' | 'sha256',
): readonly NamedBytes[] {
  const written: readonly NamedBytes[] = [{ name: `${name}.ovf`, bytes: encodeUtf8(descriptor) }, ...files];
  const lines = written.map(({ name: file, bytes }) =>
    line(file, createHash(digest).update(bytes).digest('hex')),
  );
  return [...written, { name: `${name}.mf`, bytes: encodeUtf8(lines.join('')) }];
}
