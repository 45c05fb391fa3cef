import { type Certificate, parseCertificate } from '../../crypto/certificate.ts';
import { type CmsSigner, isMeant, openCms } from '../../crypto/cms.ts';
import { CONTENT, contentTypeOf, parseSignedData, type SignedData } from '../../formats/cms/signed-data.ts';
import { parseX509, type X509Fields } from '../../formats/x509/certificate.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { NamedMember } from '../walk/member.ts';
import type { SpokenCms } from './carried-cms.ts';
import { evidenceIn } from './evidence.ts';
import type { FoundSignature } from './found-signature.ts';
import { expectSigned, foundSignature } from './read-signatures.ts';

/** A signature beside the manifest that was read. */
export interface Sidecar {
  readonly name: string;
  readonly role?: string;
  readonly der: Uint8Array;
  /** left out for a structure of a type that is not known; its signers in their order, those of `unknown` among them */
  readonly cms?: SpokenCms;
  /** what of it counts for nothing, since its type or algorithm is not known; all of it where there is no `cms` */
  readonly unknown: readonly FoundSignature[];
  /** certificates inside that can be used */
  readonly certificates: readonly Certificate[];
}

const WHAT = 'the signature';

/**
 * Reads a signature beside the manifest, whose raw bytes it is said to be over. What is of a type or an algorithm that is not known here is
 * named, and counts for nothing; every other signer fits, or has a fault.
 *
 * @param beside certificates that lie with it and may lead to an anchor
 * @param trusted those that may have made it: a signature may come without any certificate
 * @throws {BundleError} `CMS_SYNTAX`, `CERTIFICATE_MALFORMED` for what cannot be read in one way [side.3] [side.4] [side.5]
 */
export function readSidecar(
  { name, bytes, role }: NamedMember & { readonly role?: string },
  manifest: Uint8Array,
  { beside, trusted }: { readonly beside: readonly Certificate[]; readonly trusted: readonly Certificate[] },
): Sidecar {
  const place = { member: name, ...(role !== undefined && { role }) };
  const common = { name, der: bytes, ...(role !== undefined && { role }) };
  try {
    const type = contentTypeOf(bytes, WHAT);
    if (type !== CONTENT.signedData) return ofUnknownType(common, `a structure of the type ${type}`);
    const data = parseSignedData(bytes, WHAT);
    if (data.contentType !== CONTENT.data)
      return ofUnknownType(common, `a signature of content of the type ${data.contentType}`);
    if (data.content) throw new BundleError('CMS_SYNTAX', `${WHAT} carries content of its own`);
    const { usable, unusable } = certificatesIn(data);
    const all = [...usable, ...beside];
    const opened = openCms(data, [...all, ...trusted]);
    opened.update(manifest);
    const read = opened.finish().map((signer) => {
      const unknown = unknownIn(signer, unusable);
      if (unknown !== undefined) return unknownSignature(signer.info.signatureAlgorithm.name, unknown);
      const { fault, ...found } = foundSignature(signer, all, []);
      return { ...found, ...(fault !== undefined && { fault: fault.at({ member: name }) }) };
    });
    const found = read.map((one) => ({ ...one, ...place }));
    const unknown = found.filter((one) => one.unknown !== undefined);
    if (unknown.length < found.length) expectSigned(data, WHAT);
    const evidence = unknown.length < found.length ? evidenceIn(data) : { crls: [], ocsps: [] };
    return { ...common, cms: { der: bytes, data, found, evidence }, unknown, certificates: usable };
  } catch (error) {
    throw toBundleError(error).at({ member: name });
  }
}

type Common = Pick<Sidecar, 'name' | 'role' | 'der'>;

function ofUnknownType(common: Common, what: string): Sidecar {
  const { name, role } = common;
  const found = {
    ...unknownSignature(what, `it is ${what}`),
    member: name,
    ...(role !== undefined && { role }),
  };
  return { ...common, unknown: [found], certificates: [] };
}

/** [side.4] Named, and nothing else: neither its certificate nor its timestamps say anything of the bundle. */
function unknownSignature(algorithm: string, unknown: string): FoundSignature {
  return {
    format: 'cms',
    algorithm,
    digest: undefined,
    intermediates: [],
    timestamps: [],
    unknown,
    warnings: [],
  };
}

function certificatesIn({ certificates }: SignedData): {
  readonly usable: readonly Certificate[];
  readonly unusable: readonly X509Fields[];
} {
  const usable: Certificate[] = [];
  const unusable: X509Fields[] = [];
  for (const der of certificates) {
    try {
      usable.push(parseCertificate(der));
    } catch (error) {
      const fault = toBundleError(error);
      if (fault.code !== 'ALGORITHM_UNSUPPORTED') throw fault;
      unusable.push(parseX509(der));
    }
  }
  return { usable, unusable };
}

/** Why nothing is known of a signature, as a clause; undefined when it can be verified. */
function unknownIn(
  { info, certificate, fault }: CmsSigner,
  unusable: readonly X509Fields[],
): string | undefined {
  if (fault?.code === 'ALGORITHM_UNSUPPORTED') {
    const { digest, signatureAlgorithm } = info;
    const oid = digest.name === undefined ? digest.oid : signatureAlgorithm.oid;
    return `its algorithm ${oid} is not known here`;
  }
  const meant = certificate ? undefined : unusable.find((fields) => isMeant({ fields }, info));
  return meant && `the key of "${meant.subject.text}" is of a kind that is not known here`;
}
