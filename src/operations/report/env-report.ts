import type { Report } from '../../verdict/report/report.ts';

/** A program or a library that is there. */
export interface FoundProgram {
  readonly name: string;
  /** left out when it is not found */
  readonly file?: string;
}

/** Somebody in a trust folder, and why nothing can be done with it, if so. */
export interface FoundPublisher {
  readonly name: string;
  /** publisher, or an authority whose timestamps are believed */
  readonly kind: 'publisher' | 'timestamp authority';
  readonly certificates: number;
  readonly problem?: string;
}

/** A folder of trust and settings. */
export interface FoundFolder {
  readonly folder: string;
  /** a variable, or that it is the usual place */
  readonly from: string;
  readonly exists: boolean;
  readonly publishers: readonly FoundPublisher[];
  /** revocation lists and OCSP responses that lie there */
  readonly lists: number;
  /** left out when there is none */
  readonly settings?: string;
}

/** An option that has a default here. */
export interface FoundDefault {
  readonly option: string;
  /** without user name, password and query, where it is an address */
  readonly value: string;
  /** a variable, or a file */
  readonly from: string;
}

/** A variable that is set and counts. */
export interface FoundVariable {
  readonly name: string;
  /** left out for a secret */
  readonly value?: string;
}

/** What `env` finds. */
export interface EnvFindings {
  readonly bulla: { readonly version: string; readonly file: string };
  readonly node: { readonly version: string; readonly file: string };
  readonly openssl: string;
  readonly system: string;
  /** how many files are hashed at a time */
  readonly threads: number;
  /** the user's own last, as in `trust.folders` */
  readonly folders: readonly FoundFolder[];
  readonly defaults: readonly FoundDefault[];
  readonly variables: readonly FoundVariable[];
  /** programs that bulla names in its advice and does not need itself */
  readonly programs: readonly FoundProgram[];
}

/** The report of `env`: what is configured and cannot be used is among its errors. */
export type EnvReport = Report<'env', EnvFindings>;
