import type { ImageProperties } from '../../formats/glance/properties.ts';
import type { CertificateSource } from '../../verdict/image/certificate-source.ts';
import type { ImageAllowances } from '../../verdict/image/open-image-signatures.ts';
import type { Report } from '../../verdict/report/report.ts';
import type { VerifyOptions } from '../verify/options.ts';

/** How the signature of an OpenStack image is verified. Everything left out has the safe default. */
export interface VerifyImageOptions extends VerifyOptions {
  /** what the image's properties say, from `parseProperties` */
  readonly properties: ImageProperties;
  /** what errors about the properties call their file */
  readonly propertiesFile?: string;
  /** where the certificates are kept */
  readonly certificates: CertificateSource;
  /** UUIDs of certificates that are trusted, as Nova takes them; with `trust` given too, both must accept [glance.18] */
  readonly trustedIds?: readonly string[];
  /** say what Glance and Nova would say, defects included; certificates are then judged by `trustedIds` alone [glance.15] */
  readonly compat?: boolean;
  readonly allowImage?: Partial<ImageAllowances>;
}

/** Two answers, each for itself, and what they are about. */
export interface ImageFindings {
  readonly signature: 'valid' | 'invalid' | 'not-judged';
  readonly certificate: 'trusted' | 'untrusted' | 'not-judged';
  readonly certificateUuid?: string;
  readonly certificateSource?: string;
}

/** What cursive answers: its verdict, and of a refusal the class of the exception and its words. */
export type CursiveVerdict =
  | { readonly verdict: 'accept'; readonly error?: never; readonly message?: never }
  | { readonly verdict: 'reject'; readonly error: string; readonly message: string };

/** What was found, and with `compat` what Glance and Nova would say. */
export interface ImageResult extends ImageFindings {
  readonly cursive?: CursiveVerdict;
}

/** The report of `glance verify`. */
export type ImageReport = Report<'glance verify', ImageResult>;
