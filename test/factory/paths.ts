import { findPath, type PathResult } from '../../src/trust/path/find-path.ts';
import type { PathOptions } from '../../src/trust/path/judge-options.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import { NOON, type TestCertificate } from './certificates.ts';

export interface TestPath extends Partial<Omit<PathOptions, 'anchors'>> {
  readonly leaf: TestCertificate;
  readonly intermediates?: readonly TestCertificate[];
  readonly anchors: readonly TestCertificate[];
  readonly at?: Date;
}

/** Searches a path at noon, for anything, without allowances, unless told otherwise. */
export function search({ leaf, intermediates = [], anchors, at = NOON, ...options }: TestPath): PathResult {
  return findPath(
    { leaf: leaf.certificate, intermediates: intermediates.map(({ certificate }) => certificate) },
    {
      anchors: anchors.map(({ certificate }) => certificate),
      window: { from: at, to: at },
      allowances: NO_ALLOWANCES,
      purpose: 'any',
      ...options,
    },
  );
}

/** `good`, or the code of what is wrong first. */
export function verdict(path: TestPath): string {
  const { kind, errors } = search(path);
  return kind === 'good' ? 'good' : (errors[0]?.code ?? kind);
}
