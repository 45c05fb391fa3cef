import { join } from 'node:path';
import { equalBytes } from '../../../kit/bytes.ts';
import type { Deadline } from '../../../kit/deadline.ts';
import type { DigestName } from '../../../kit/digest-name.ts';
import type { Told } from '../../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../kit/limits.ts';
import { isPackage, sourceOptions } from '../../../kit/source.ts';
import { absolute } from '../../../storage/absolute.ts';
import { type ApartOutput, apartFrom } from '../../../storage/apart.ts';
import { readError } from '../../../storage/io-errors.ts';
import { OutputSet } from '../../../storage/output/output-set.ts';
import { openBundle, packagePlace } from '../../../storage/sources/open-bundle.ts';
import { expectOwnWay } from '../../../storage/way-to.ts';
import type { ContentsJudgement } from '../../../verdict/bundle/judge-contents.ts';
import type { LooseParts } from '../../../verdict/packing/loose-package.ts';
import { makeReport, type Report } from '../../../verdict/report/report.ts';
import { sweptWarnings } from '../../../verdict/report/run-notes.ts';
import type { NamedMember } from '../../../verdict/walk/member.ts';
import { bundleFile } from '../../readings.ts';
import type { EditOptions } from '../copy-options.ts';
import { partsOf, type ReadPackage, readPackage } from './read-package.ts';

/** Refuses to write a file that is there, unless it may be replaced. @throws {BundleError} `DESTINATION_EXISTS` */
type ExpectReplaceable = (name: string) => void;

/** What becomes of the files that sign a package. */
export interface PackageEdit {
  /** what is read besides the package: nothing of it may be replaced */
  readonly reads: readonly string[];
  /** the digests of a manifest that is made */
  readonly algorithm: DigestName;
  /** what it throws refuses the package before it is read at length */
  expect(parts: LooseParts, expectReplaceable: ExpectReplaceable): void;
  /** the files that sign it from now on, and what is to be said of them */
  make(
    read: ReadPackage,
    expectReplaceable: ExpectReplaceable,
  ): Promise<{ readonly files: readonly NamedMember[]; readonly notes: readonly Told[] }>;
}

/** What came of it. Without errors it has been done. */
export interface EditedPackage {
  readonly name: string;
  readonly judged: ContentsJudgement;
  readonly warnings: readonly Told[];
  /** the files that were written, as the user would name them */
  readonly written: readonly string[];
}

/**
 * Changes what signs a package of files, where it lies. All of it is read and judged first, and what an importer would refuse stays
 * as it is. The files that it gets take their names together, and a timestamp of an older signature goes with that.
 *
 * @throws {BundleError} `USAGE` for anything but a package on this machine, `DESTINATION_EXISTS`, when it cannot be read or written, and what the edit throws
 * @see spec/package.md, clauses pkg.9 to pkg.12
 */
export async function editPackage(
  input: string,
  options: EditOptions & Pick<Deadline, 'expectInTime'>,
  edit: PackageEdit,
): Promise<EditedPackage> {
  const place = packagePlace(input);
  if (!place) throw notLoose(input);
  const { folder } = place;
  const { overwrite = false, signal, onProgress } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  expectOwn(folder);
  await using outputs = new OutputSet('signature', { kind: 'package', overwrite, signal });
  outputs.prepare(folder); // before it is read: it may be half of what a killed run has left
  await using source = await openBundle(input, sourceOptions(options));
  if (!isPackage(source)) throw notLoose(input);
  const known = partsOf(source);
  const expectReplaceable = (name: string): void => {
    if (known?.there.has(name) && !overwrite) throw signedAlready(join(folder, name));
  };
  let replaces: BundleError | undefined; // told once it is known that no fault of the files stands behind it [pkg.10]
  try {
    if (known) edit.expect(known, expectReplaceable);
  } catch (error) {
    replaces = toBundleError(error);
    if (replaces.code !== 'DESTINATION_EXISTS') throw replaces;
  }
  const read = await readPackage(source, {
    limits,
    algorithm: edit.algorithm,
    ...(onProgress !== undefined && { onProgress }),
  });
  const told = [...read.warnings, ...sweptWarnings(outputs.swept)];
  const result = { name: input, judged: read.judged, warnings: told, written: [] };
  if (!read.manifest || read.judged.errors.length > 0) return result;
  if (replaces) throw replaces;

  const { files: made, notes } = await edit.make(read, expectReplaceable);
  const files = [...made, ...timestampThatHolds(read, made)];
  const judged = read.judgeSigned(files);
  if (judged.errors.length > 0) return { ...result, judged };
  const { parts, manifest } = read;
  const target = (name: string): ApartOutput =>
    apartFrom(join(folder, name), [...bundleFile(input), ...edit.reads]);
  const { timestamp } = parts;
  const isStale = parts.there.has(timestamp) && !files.some(({ name }) => name === timestamp);
  if (isStale) {
    expectReplaceable(timestamp);
    await using _ = await source.open(timestamp); // what is taken away is a regular file, and this very one
    outputs.remove(target(timestamp));
  }
  const written: string[] = [];
  for (const { name, bytes } of [manifest, ...files]) {
    const before = [read.manifest, read.certificate, read.timestamp].find((one) => one?.name === name);
    if (parts.there.has(name) && before && equalBytes(before.bytes, bytes)) continue;
    expectReplaceable(name);
    const path = target(name);
    await outputs.begin(path, parts.there.has(name));
    await outputs.write(bytes);
    await outputs.end();
    written.push(path);
  }
  source.checkUnchanged(); // [pkg.11] it took somebody a while to sign it, perhaps
  options.expectInTime(); // [cli.15]
  await outputs.publish();
  const gone = `"${timestamp}" was taken away: it is of the signature that was there before`;
  return { ...result, judged, warnings: [...told, ...notes, ...(isStale ? [gone] : [])], written };
}

/** The timestamp that is there, where the signature is made again with the same bytes: it is of that, too. [pkg.10] */
function timestampThatHolds(
  { certificate, timestamp }: ReadPackage,
  made: readonly NamedMember[],
): readonly NamedMember[] {
  const isMade = made.some(({ name }) => name === timestamp?.name);
  const same = made.find(({ name }) => name === certificate?.name);
  if (!timestamp || !certificate || !same || isMade) return [];
  return equalBytes(same.bytes, certificate.bytes) ? [timestamp] : [];
}

/** The report of what came of it, with `result` where it was done; without one it was not. */
export function editReport<O extends 'sign' | 'timestamp', R extends object>(
  operation: O,
  { name, judged, warnings, written }: EditedPackage,
  result: R | undefined,
): Report<O, R & Pick<EditedPackage, 'written'> & { readonly format: 'files' }> {
  return makeReport({
    operation,
    input: { name },
    checks: judged.checks,
    files: judged.files,
    errors: judged.errors,
    warnings: [...judged.warnings, ...warnings],
    ...(judged.errors.length === 0 &&
      result !== undefined && { result: { written, format: 'files', ...result } }),
  });
}

/** [import.10] Where others may rename, what was judged need not be what lies there a moment later. */
function expectOwn(folder: string): void {
  try {
    expectOwnWay(absolute(folder));
  } catch (error) {
    throw readError(error, folder);
  }
}

function notLoose(input: string): BundleError {
  return new BundleError('USAGE', 'this is no package of files on this machine', {
    where: { file: input },
    why: 'only what lies in files of its own is signed where it is; an archive is copied',
    fix: { text: 'give a name for the copy', advice: 'name-copy' },
  });
}

function signedAlready(path: string): BundleError {
  return new BundleError('DESTINATION_EXISTS', 'the file exists already', {
    where: { file: path },
    why: 'a signature that somebody has made is never replaced unasked',
    fix: { text: 'ask for it to be replaced, or have a signed copy made', advice: 'replace-signature' },
  });
}
