import { rolePartOf } from '../../formats/bundle-part.ts';
import type { Manifest } from '../../formats/ovf/manifest.ts';
import type { Advised } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { ContentsJudgement } from '../../verdict/bundle/judge-contents.ts';
import type { BundleRoles } from '../../verdict/walk/bundle-roles.ts';
import type { NamedMember } from '../../verdict/walk/member.ts';
import { inPlaceOfBundle } from '../../verdict/walk/no-bundle.ts';

/** What is not there, what the manifest lists and must not, and what the order of the members has led us to do wrong. */
export function faultsOfOrder(
  { manifest, certificate }: BundleRoles,
  signed: { readonly member: NamedMember; readonly lines: Manifest } | undefined,
  leftOut: readonly NamedMember[],
  members: readonly string[],
): readonly BundleError[] {
  if (manifest === undefined || signed === undefined) {
    const packed: Advised = { text: 'unpack it, and pack it again with a manifest', advice: 'pack-signed' };
    const { what = '', own: fix = packed } = inPlaceOfBundle(members);
    return [new BundleError('MANIFEST_MISSING', `the bundle has no manifest to sign${what}`, { fix })];
  }
  if (certificate === undefined) {
    const fix: Advised = { text: 'sign it, with a timestamp at once', advice: 'sign-and-timestamp' };
    return [new BundleError('SIGNATURE_MISSING', 'the bundle has no signature to timestamp', { fix })];
  }
  const { member, lines } = signed;
  const mistaken = [member, ...leftOut].filter(({ name }) => baseOf(name) !== baseOf(manifest));
  const listed = leftOut.filter(({ name }) => rolePartOf(name)?.kind === 'tst' && lines.byName.has(name));
  return [
    ...mistaken.map(({ name }) => {
      const message = `"${name}" came first and was taken for a part of the bundle, and "${manifest}" is its manifest`;
      return new BundleError('PACKAGE_AMBIGUOUS', message, { where: { member: name } });
    }),
    ...listed.map(({ name }) => listedStamp(name, member.name)),
  ];
}

/** [pack.5] As an importer says it, which would take the file for the timestamp of the new signature. */
function listedStamp(name: string, manifest: string): BundleError {
  const message = `the manifest lists "${name}", which is the name of the timestamp of the signature`;
  return new BundleError('MANIFEST_SYNTAX', message, {
    where: { member: manifest },
    fix: 'unpack the bundle, give that file another name, and pack it again',
  });
}

/** The base name of a part. */
export function baseOf(name: string): string | undefined {
  return rolePartOf(name)?.base;
}

/**
 * What is wrong with the archive is a verdict, as it is to `verify`; a fault that the judgement has already is not told twice.
 *
 * @throws {BundleError} the fault, when it is not the bundle's
 */
export function withFault(judged: ContentsJudgement, fault: BundleError): ContentsJudgement {
  const isOfInput = fault.kind === 'archive' || fault.kind === 'unsupported' || fault.code === 'FILE_CHANGED';
  if (judged.errors.length > 0 && fault.code !== 'FILE_CHANGED') return judged;
  if (isOfInput) return { ...judged, errors: [fault, ...judged.errors] };
  throw fault;
}
