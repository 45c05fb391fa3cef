import { join } from 'node:path';
import type { Signing } from '../../engine/engine.ts';
import { isEvidence, rolePartOf } from '../../formats/bundle-part.ts';
import type { DiskFormat } from '../../formats/disk/disk-probe.ts';
import { namedProperties } from '../../formats/glance/format-properties.ts';
import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { face, needed, path as pathRule, record, text } from '../../kit/shape.ts';
import { shellPath, shellWord } from '../../kit/shell.ts';
import type { ResumableSink } from '../../verdict/walk/member.ts';
import { probeDiskFile } from '../disks/probe-disk-file.ts';
import { companionBytes, disksToSign } from './companion.ts';
import { type ImageSigner, openSigning } from './image-signer.ts';
import { propertiesOf } from './sign-image.ts';

/** A disk image of an imported bundle, signed with the site's own key. */
export interface SiteImage {
  readonly name: string;
  /** the member-like name of the file with the properties */
  readonly propertiesFile: string;
  /** by their names in Glance */
  readonly properties: Readonly<Record<string, string>>;
}

/** Stores members, and signs each that may be a disk image from the very buffers that are hashed and stored. [glance.35] */
export interface SigningSink extends ResumableSink {
  /** writes the properties of the disk images among `kept` beside them, once the bundle is trusted */
  readonly writeProperties: (
    kept: readonly string[],
    descriptor: Descriptor | undefined,
  ) => Promise<readonly SiteImage[]>;
}

const SITE = '.site.glance.json';

/** Wraps a sink so that disk images are signed on their way into it. */
export function signingSink(
  sink: ResumableSink,
  signer: ImageSigner,
  signal: AbortSignal | undefined,
): SigningSink {
  const signings = new Map<string, Signing>();
  const names = new Set<string>();
  const signingOf = (member: string): Signing | undefined => {
    names.add(member.toLowerCase());
    if (rolePartOf(member) || isEvidence(member)) return undefined;
    const signing = openSigning(signer, signal);
    signings.set(member, signing);
    return signing;
  };
  return {
    store: (member, content) => {
      signingOf(member)?.update(content);
      return sink.store(member, content);
    },
    create: async (member, size) => {
      const writer = await sink.create(member, size);
      const signing = signingOf(member);
      if (!signing) return writer;
      const { kept } = writer;
      return {
        ...(kept !== undefined && { kept: { bytes: kept.bytes, stream: seen(kept.stream, signing) } }),
        write: async (chunk) => {
          await writer.write(chunk);
          signing.update(chunk);
        },
        finish: () => writer.finish(),
        discard: () => writer.discard(),
      };
    },
    writeProperties: async (kept, descriptor) => {
      const images: SiteImage[] = [];
      for (const name of disksToSign(kept, descriptor)) {
        const signing = signings.get(name);
        if (!signing) throw new BundleError('INTERNAL', `"${name}" was stored and not signed`);
        const signature = await signing.finish();
        const propertiesFile = `${name}${SITE}`;
        if (names.has(propertiesFile.toLowerCase())) throw taken(propertiesFile);
        await sink.store(propertiesFile, companionBytes(signer, signature));
        const properties = Object.fromEntries(namedProperties(propertiesOf(signer, signature)));
        images.push({ name, propertiesFile, properties });
      }
      return images;
    },
  };
}

async function* seen(stream: ByteStream, signing: Signing): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of stream) {
    signing.update(chunk);
    yield chunk;
  }
}

function taken(name: string): BundleError {
  return new BundleError('USAGE', `the bundle itself has a file "${name}"`, {
    why: 'the properties made here go into a file of this name, and no file of a bundle is ever replaced',
    fix: { text: 'import it without signing, and sign the disk image afterwards', advice: 'sign-afterwards' },
  });
}

const siteImage = face<SiteImage>(
  { name: needed(pathRule), propertiesFile: needed(text), properties: needed(record(text)) },
  'an image, as importBundle gives it',
);

/** The command that uploads an imported image with its properties. [glance.35] @throws {BundleError} `FILE_*` */
export async function uploadCommand(destination: string, image: SiteImage): Promise<string> {
  pathRule(destination, 'destination');
  const { name, properties } = siteImage(image, 'image');
  const path = join(destination, name);
  const format = await formatOf(path);
  const title =
    name
      .split('/')
      .at(-1)
      ?.replace(/\.[^.]+$/, '') || name;
  const last = title.startsWith('-') ? ['--', shellWord(title)] : []; // it is no option
  const words = ['openstack', 'image', 'create', ...(last.length > 0 ? [] : [shellWord(title)])];
  words.push('--file', shellPath(path));
  words.push('--disk-format', format, '--container-format', 'bare');
  for (const [property, value] of Object.entries(properties))
    words.push('--property', shellWord(`${property}=${value}`));
  return [...words, ...last].join(' ');
}

async function formatOf(path: string): Promise<DiskFormat> {
  try {
    return (await probeDiskFile(path)).probe.format;
  } catch {
    return 'raw'; // nothing is known of it; whoever runs the command sees the word and can put another
  }
}
