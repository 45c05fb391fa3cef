import { BundleError } from '../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../kit/limits.ts';
import { type BundleSource, isPackage, type Source, sourceOptions } from '../kit/source.ts';
import { spoolable } from '../storage/sources/private-file.ts';
import type { JudgingOptions } from '../verdict/judging-options.ts';
import { innerSource } from '../verdict/walk/inner-source.ts';

/** The bundle in the archive of a source; an inner zip is kept in a private file. @throws {BundleError} `USAGE` for a package of files [inner.1] */
export function openInner(
  outer: BundleSource,
  options: Pick<JudgingOptions, 'limits' | 'relax' | 'signal'>,
): Source {
  if (isPackage(outer)) {
    throw new BundleError('USAGE', 'there is no archive here that a bundle could be in', {
      where: { file: outer.name },
      why: 'a folder or a descriptor was named, and the files are the bundle itself',
      fix: 'name the archive; or leave the option out',
    });
  }
  return innerSource(outer, {
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    ...(options.relax !== undefined && { relax: options.relax }),
    seekable: (stream) => spoolable(stream, sourceOptions(options)),
  });
}
