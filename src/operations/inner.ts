import { DEFAULT_LIMITS } from '../kit/limits.ts';
import { type Source, sourceOptions } from '../kit/source.ts';
import { spoolable } from '../storage/sources/private-file.ts';
import type { JudgingOptions } from '../verdict/judging-options.ts';
import { innerSource } from '../verdict/walk/inner-source.ts';

/** The bundle in the archive of a source; an inner zip is kept in a private file. [inner.1] */
export function openInner(
  outer: Source,
  options: Pick<JudgingOptions, 'limits' | 'relax' | 'signal'>,
): Source {
  return innerSource(outer, {
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    ...(options.relax !== undefined && { relax: options.relax }),
    seekable: (stream) => spoolable(stream, sourceOptions(options)),
  });
}
