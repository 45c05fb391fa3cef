import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { expectApart } from '../../storage/apart.ts';
import { openStaging, type PublishedMember, type Staging } from '../../storage/output/staging.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import type { ResumableSink } from '../../verdict/walk/member.ts';
import type { SigningSink } from '../glance/sign-on-import.ts';
import { readingsOf } from '../readings.ts';
import type { Ending } from './ending.ts';
import type { ImportOptions } from './import-options.ts';
import { leavingOf } from './leaving.ts';

/** Takes the members of an import until it is known what becomes of them; disposing it takes away what was not published. */
export interface Intake extends AsyncDisposable {
  /** takes them as they are read; left out in a dry run, which stores nothing */
  readonly sink?: ResumableSink;
  /** signs the disk images among them; left out when nothing is signed */
  readonly signing?: SigningSink;
  /** where they wait, and can be made into others; left out where nothing is read again */
  readonly staging?: Staging;
  readonly ending: Ending;
  /** makes these the import, and nothing else of what has come */
  publish(members: readonly PublishedMember[]): Promise<void>;
}

/**
 * Opens what the members of an import go into. Each layer hands on to the one below: signing, which sees every buffer; going
 * on with what an interrupted run has left; the folder beside the destination. What is not asked for is not there, nor loaded.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_FAILED`, `USAGE` when the destination is not free or not apart from what is read
 */
export async function openSink(input: BundleInput, options: ImportOptions): Promise<Intake> {
  const { imageSigner, signal } = options;
  const glance = imageSigner && (await import('../glance/sign-on-import.ts'));
  const intake = options.dryRun ? openNothing() : await openFolder(input, options);
  if (!glance || !intake.sink) return intake;
  const signing = glance.signingSink(intake.sink, imageSigner, signal);
  return { ...intake, sink: signing, signing };
}

function openNothing(): Intake {
  return {
    ending: leavingOf({ swept: [] }, undefined),
    publish: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

async function openFolder(
  input: BundleInput,
  { destination, resume = false, signal, ...options }: ImportOptions,
): Promise<Intake> {
  const reads = [...readingsOf(input, options), ...(options.imageSigner?.files ?? [])];
  expectApart([destination], reads);
  const resuming = resume ? await import('./resuming-sink.ts') : undefined;
  const staging = openStaging(destination, { resume });
  const { swept, leave, left } = staging;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const sink = left && resuming?.resumingSink(staging, left, { limits, signal });
  return {
    sink: sink ?? staging,
    staging,
    ending: leavingOf({ swept, ...(resume && { leave }) }, sink),
    publish: staging.publish,
    [Symbol.asyncDispose]: () => staging[Symbol.asyncDispose](),
  };
}
