import type { FileAccess } from '../../formats/file-access.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { expectMayGive, plannedAccess } from '../../storage/access/give-access.ts';
import { expectApart } from '../../storage/apart.ts';
import { openStaging } from '../../storage/output/staging.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import { readingsOf } from '../readings.ts';
import type { ImportOptions } from './import-options.ts';
import type { Intake } from './intake.ts';
import { leavingOf } from './leaving.ts';
import { openOwnSink } from './own-sink.ts';

/**
 * Opens what the members of an import go into. Each layer hands on to the one below: signing, which sees every buffer; going
 * on with what an interrupted run has left; the folder beside the destination, or the sink that a program gives in its place. What is
 * not asked for is not there, nor loaded.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_FAILED`, `USAGE` when the destination is not free or not apart from what is read
 */
export async function openSink(input: BundleInput, options: ImportOptions): Promise<Intake> {
  const { imageSigner, signal } = options;
  const glance = imageSigner && (await import('../glance/sign-on-import.ts'));
  const intake = await openPlace(input, options);
  if (!glance || !intake.sink) return intake;
  const signing = glance.signingSink(intake.sink, imageSigner, signal);
  return { ...intake, sink: signing, signing };
}

async function openPlace(input: BundleInput, options: ImportOptions): Promise<Intake> {
  const { destination } = options;
  expectMayGive(options);
  if (options.dryRun)
    return openNothing(typeof destination === 'string' ? plannedAccess(options) : undefined);
  return typeof destination === 'string'
    ? await openFolder(input, destination, options)
    : openOwnSink(destination, options.signal);
}

function openNothing(access: FileAccess | undefined): Intake {
  return {
    ending: leavingOf({ swept: [] }, undefined),
    publish: async () => access,
    [Symbol.asyncDispose]: async () => {},
  };
}

async function openFolder(
  input: BundleInput,
  destination: string,
  { resume = false, signal, mode, owner, ...options }: ImportOptions,
): Promise<Intake> {
  const reads = [...readingsOf(input, options), ...(options.imageSigner?.files ?? [])];
  expectApart([destination], reads);
  const asked = { ...(mode !== undefined && { mode }), ...(owner !== undefined && { owner }) };
  const access = mode === undefined && owner === undefined ? undefined : asked;
  const resuming = resume ? await import('./resuming-sink.ts') : undefined;
  const staging = openStaging(destination, { resume, ...(access !== undefined && { access }) });
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
