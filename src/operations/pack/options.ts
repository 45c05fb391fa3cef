import type { PackFormat } from '../../archive/open-archive.ts';
import type { OnProgress } from '../../kit/progress.ts';
import type { ByteSink } from '../../kit/streams/byte-sink.ts';
import type { ImageSigner } from '../glance/image-signer.ts';
import type { SigningDigest, SigningIdentity, TimestampSource } from '../sign/signing.ts';
import type { ApplianceOptions } from './plan.ts';

/** How a bundle is packed. */
export interface PackOptions {
  /** the file to write, `-` for standard output, or a sink, which is finished only when all of it is good, and discarded otherwise */
  readonly output: string | ByteSink;
  readonly format: PackFormat;
  /** base name of descriptor, manifest and certificate file; a given descriptor keeps its own */
  readonly name: string;
  /** pack the files as they are, without a descriptor */
  readonly plain?: boolean;
  readonly appliance?: ApplianceOptions;
  /** who signs; without it the bundle is unsigned */
  readonly identity?: SigningIdentity;
  readonly digest?: SigningDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
  /** the most members; importers read 256, unless they are told to read more */
  readonly members?: number;
  /** disk images larger than this are stored as chunks of so many bytes */
  readonly chunkSize?: number;
  /** pack what links lead to that lie in the folder of the descriptor, wherever that is: whoever may write there chooses it [links.1] */
  readonly followLinks?: boolean;
  /** pack the files as they are, whatever the manifest beside the descriptor says: damage since the export goes unseen, and is signed [pack.14] */
  readonly ignoreManifest?: boolean;
  /** manifest and signature before the files, or after them (then every file is read once, in any container) */
  readonly order?: 'leading' | 'trailing';
  /** whether each disk image gets the digests of its blocks beside it, as `NAME.blocks` [blocks.9] */
  readonly blockDigests?: boolean;
  /** who signs each disk image for Glance; the properties go beside it, as `NAME.glance.json` [glance.34] */
  readonly imageSigner?: ImageSigner;
  readonly overwrite?: boolean;
  /** modification time of the members, seconds since 1970; the same input and time give the same bytes */
  readonly mtime?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}
