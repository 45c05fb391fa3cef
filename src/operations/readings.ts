import { join } from 'node:path';
import type { NamedBytes } from '../kit/given-bytes.ts';
import { CERTIFICATE_NAMES, EVIDENCE_NAMES, PART_NAMES } from '../kit/read-names.ts';
import type { Reading } from '../storage/apart.ts';
import { namesFolder, packagePlace } from '../storage/sources/open-bundle.ts';
import type { BundleInput } from '../storage/sources/open-source.ts';
import type { VerifyOptions } from './verify/options.ts';

/** All that is read to judge a bundle: itself, whom to trust, and what revokes; what is made of it must be apart from that. [out.1] */
export function readingsOf(
  input: BundleInput,
  { trust, revocation }: Pick<VerifyOptions, 'trust' | 'revocation'>,
): readonly (string | Reading)[] {
  const certificates = [...(trust?.anchors ?? []), ...(trust?.timestampAnchors ?? [])];
  const lists = [...(revocation?.crls ?? []), ...(revocation?.ocsps ?? [])];
  return [
    ...namedBundle(input),
    ...certificates.filter(isFile).map((path) => ({ path, takes: CERTIFICATE_NAMES })),
    ...lists.filter(isFile),
    ...(trust?.folders ?? []).map((path) => ({ path })),
  ];
}

/** A bundle, unless it is bytes that come from nowhere, of which nothing that is made may become a part. */
export function namedBundle(input: BundleInput): readonly (string | Reading)[] {
  const folders = namedInput(input).flatMap((path) => packagePlace(path)?.folder ?? []);
  return [
    ...bundleFile(input),
    ...folders.flatMap((path) => [
      { path, takes: PART_NAMES },
      { path: join(path, 'revocation'), takes: EVIDENCE_NAMES },
    ]),
  ];
}

/** The file that a bundle is named by, if it is one; those of a folder are looked at one by one, as they are opened. */
export function bundleFile(input: BundleInput): readonly string[] {
  return namedInput(input).filter((path) => !namesFolder(path));
}

/** The input, unless it is bytes that come from nowhere. */
export function namedInput(input: BundleInput | NamedBytes): readonly string[] {
  return isFile(input) ? [input] : [];
}

function isFile(given: unknown): given is string {
  return typeof given === 'string';
}
