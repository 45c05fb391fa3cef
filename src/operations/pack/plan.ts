import type { BlockAlgorithm } from '../../formats/blocks/block-digests.ts';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import type { FirmwareName } from '../../formats/ovf/descriptor-writer.ts';
import type { ControllerName } from '../../formats/ovf/machine/drives.ts';
import type { GuestSystemName } from '../../formats/ovf/machine/guest-systems.ts';
import type { Told } from '../../kit/errors/advice.ts';
import type { FileStamp } from '../../storage/sources/file-stamp.ts';
import type { ExportersWord } from '../../verdict/packing/exporters-word.ts';

/** What is said about a machine made of bare disk images. */
export interface ApplianceOptions {
  readonly product?: string;
  readonly vendor?: string;
  readonly version?: string;
  readonly cpus?: number;
  readonly memoryMiB?: number;
  /** a network card for each, by the name of its network: one on "VM Network" when left out, none for an empty list */
  readonly networks?: readonly string[];
  /** `bios` when left out */
  readonly firmware?: FirmwareName;
  /** `other64` when left out */
  readonly os?: GuestSystemName;
  /** what the disks hang on; `scsi` when left out */
  readonly controller?: ControllerName;
}

/** What goes into a bundle: the descriptor's bytes if there is one, then the files in the order of its references. */
export interface PackPlan {
  /** the base name of descriptor, manifest and certificate file */
  readonly base: string;
  readonly descriptor?: { readonly name: string; readonly bytes: Uint8Array };
  readonly files: readonly PlannedFile[];
  /** the disk images that get their properties beside them [glance.34] */
  readonly signedDisks: readonly string[];
  /** the disk images that get the digests of their blocks beside them [blocks.9] */
  readonly disksInBlocks: readonly string[];
  readonly warnings: readonly Told[];
  /** what the program that exported the files says of them [pack.14] */
  readonly word?: ExportersWord;
  /** what the header of each file says that was looked at as a disk image, by name */
  readonly images?: ReadonlyMap<string, DiskProbe>;
  /** files that were looked at, and are not packed */
  readonly beside?: readonly string[];
}

/** A file to be packed. */
export interface PlannedFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** the whole file at `path` as it was when this was planned */
  readonly stamp: FileStamp;
  /** where its bytes begin in the file at `path`, when it is a part of that; the last part reads to the end */
  readonly part?: { readonly start: number; readonly last: boolean };
}

/** What the plan depends on besides the files. */
export interface PlanOptions {
  readonly base: string;
  readonly plain: boolean;
  readonly appliance: ApplianceOptions;
  /** images larger than this are stored as chunks of so many bytes */
  readonly chunkSize?: number;
  readonly members?: number;
  /** whether links may lead out of the folder of the descriptor [links.1] */
  readonly followLinks?: boolean;
  /** whether the files are packed whatever a manifest beside the descriptor says [pack.14] */
  readonly ignoreManifest?: boolean;
  readonly signal?: AbortSignal;
  /** whether disk images get their properties for Glance beside them */
  readonly signDisks?: boolean;
  /** the algorithm of the digests of their blocks that disk images get beside them; without it they get none */
  readonly blockDigests?: BlockAlgorithm;
}
