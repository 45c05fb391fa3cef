import type { Certificate } from '../../crypto/certificate.ts';
import { formatCarried } from '../../formats/cms/format-carried.ts';
import { type CertificateFile, formatCertificateFile } from '../../formats/ovf/certificate-file.ts';
import type { TimestampToken } from '../../formats/tsp/token.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Attested, RevocationEvidence } from '../../trust/revocation/evidence.ts';
import { type LookedAt, whyUnrelated } from '../../trust/revocation/unrelated.ts';
import type { Vouched } from '../../trust/vouched.ts';
import type { NamedMember } from '../walk/member.ts';
import {
  carriedToken,
  cmsParts,
  distinct,
  fingerprintOf,
  isOfTrusted,
  type SpokenCms,
} from './carried-cms.ts';
import { CarriedEvidence } from './carried-evidence.ts';
import { carriedSidecar } from './carried-sidecar.ts';
import type { FoundSignature } from './found-signature.ts';
import type { Sidecar } from './read-sidecar.ts';

/** A certificate file, read and judged, and the timestamp beside it. */
export interface SpokenFile {
  readonly certificate: NamedMember;
  readonly file: CertificateFile;
  /** by the signature line */
  readonly line: FoundSignature;
  readonly cms?: SpokenCms;
  /** beside the certificate file; `isOver`: it is over the bytes of that */
  readonly timestamp?: { readonly name: string; readonly token: TimestampToken; readonly isOver: boolean };
}

/** What speaks for a manifest, read and judged. */
export interface SpokenFor {
  /** left out where signatures beside the manifest are all there is */
  readonly own?: SpokenFile;
  readonly sidecars: readonly Sidecar[];
  /** that the manifest does not list */
  readonly evidence: readonly { readonly member: NamedMember; readonly read: RevocationEvidence }[];
}

/** Members for which nobody answers, by name, and why, as a clause. [bundle.6] */
export type Strangers = ReadonlyMap<string, string>;

/** What of it may be handed on: all that trusted signers answer for, in canonical form, and nothing beside it. */
export interface Carried {
  /** the bytes that stand for a member from now on; a member that speaks for the manifest and is not here is left out */
  readonly members: ReadonlyMap<string, Uint8Array>;
  /** all members that speak for the manifest */
  readonly speaks: ReadonlySet<string>;
  /** members that look like evidence and are none, with the reason: they must be listed in the manifest, as any file */
  readonly strangers: Strangers;
  /** timestamps that prove no time to the caller, and are not handed on, with the member each is in */
  readonly lost: readonly { readonly member: string; readonly token: TimestampToken }[];
  /** what else is not handed on, for people */
  readonly notes: readonly string[];
  readonly fault?: BundleError;
}

/** Bytes for which nobody answers in a certificate file, and in the evidence and the timestamp beside it, and those of them that are kept. [cert.10] [bundle.9] */
export const UNVOUCHED_BYTES = 16 * 1024;
const KEPT_BYTES = 4 * 1024;
/** Blanks and the like in one text that are not worth a word: VirtualBox writes some blank lines. */
const BLANK_BYTES = 64;
const LEFT_OUT = (what: 'it' | 'they'): string =>
  `${what} ${what === 'it' ? 'is' : 'are'} left out wherever the bundle is written again`;

/**
 * What of the certificate file, its timestamp, the signatures beside the manifest and the revocation information is handed on.
 *
 * @param vouched what the signers that are trusted answer for
 * @param given certificates that the user gave
 * @see spec/ovf.md, clauses cert.10 and cert.11, and spec/bundle.md, bundle.6 to bundle.8
 */
export function carry(spoken: SpokenFor, vouched: Vouched, given: readonly Certificate[] = []): Carried {
  const { own } = spoken;
  const members = new Map<string, Uint8Array>();
  const strangers = new Map<string, string>();
  const notes: string[] = [];
  const lost: Array<Carried['lost'][number]> = [];
  const carried = own && carriedFile(own, vouched);
  const path = own?.timestamp && vouched.tokens.get(own.timestamp.token);
  const unvouched = own && carried ? unvouchedBytes(own, carried, vouched) : NONE_UNVOUCHED;
  const left = path ? 0 : unvouched.left; // beside a timestamp the file stays as it is

  let unsigned = left;
  /** [bundle.9] The signed part of a member, unless too much stands around it: that makes it a file like any other. */
  const handOn = (name: string, beside: number, bytes: Uint8Array): void => {
    unsigned += beside;
    if (beside > 0 && unsigned > UNVOUCHED_BYTES) strangers.set(name, tooMuchIn(beside, unsigned));
    else if (bytes.byteLength > 0) members.set(name, bytes);
    else notes.push(`"${name}" holds what is in the bundle already, and ${LEFT_OUT('it')}`);
    if (beside > 0)
      notes.push(
        `${counted(beside, 'byte')} of "${name}" ${beside === 1 ? 'is' : 'are'} signed by nobody who is trusted, and ${LEFT_OUT(beside === 1 ? 'it' : 'they')}`,
      );
  };
  const distinctEvidence = new CarriedEvidence(vouched);
  for (const { member, read } of spoken.evidence) {
    const all = [...read.crls, ...read.ocsps];
    const stranger = all.find((one) => !vouched.evidence.has(one));
    if (stranger) strangers.set(member.name, whyNobody(stranger, { paths: vouched.paths, given }));
    else {
      const { bytes, beside, loose } = distinctEvidence.take(member.bytes, read);
      handOn(member.name, beside + told(loose), bytes);
    }
  }
  for (const sidecar of spoken.sidecars) {
    const handed = carriedSidecar(sidecar, vouched);
    if (handed === undefined) continue; // [side.4] [side.6] what is wrong with it is told by its signatures
    if (typeof handed === 'string') notes.push(`"${sidecar.name}" ${handed}, and ${LEFT_OUT('it')}`);
    else handOn(sidecar.name, handed.beside, handed.bytes);
    lost.push(...lostIn(sidecar.name, sidecar.cms, vouched));
  }

  if (own && carried) {
    const { certificate, timestamp } = own;
    lost.push(...lostIn(certificate.name, own.cms, vouched));
    if (timestamp && path) {
      const token = carriedToken(timestamp.token, path);
      handOn(timestamp.name, Math.max(0, timestamp.token.raw.byteLength - token.byteLength), token);
      members.set(certificate.name, certificate.bytes); // [bundle.7] the timestamp is over these very bytes
    } else {
      members.set(certificate.name, formatCertificateFile(carried));
      if (timestamp?.isOver && timestamp.token.raw.byteLength <= UNVOUCHED_BYTES)
        lost.push({ member: timestamp.name, token: timestamp.token });
      else if (timestamp) strangers.set(timestamp.name, whyNoTimestamp(timestamp.isOver));
    }
    // timestamps are told of by themselves; some bytes stand around each
    const inLost = lost.reduce(
      (sum, { member, token }) => sum + (member === certificate.name ? token.raw.byteLength : 0),
      0,
    );
    notes.push(...notesOfLeft(certificate.name, { ...unvouched, inLost }, path !== undefined));
  }

  const kept = unvouched.kept + unvouched.left - left;
  const [bytes, limit] = kept > KEPT_BYTES ? [kept, KEPT_BYTES] : [left, UNVOUCHED_BYTES];
  const speaks = new Set(
    [
      own ? [own.certificate.name, own.timestamp?.name ?? []] : [],
      spoken.sidecars.map(({ name }) => name),
      spoken.evidence.map(({ member }) => member.name),
    ].flat(3),
  );
  return {
    members,
    speaks,
    strangers,
    lost,
    notes,
    ...(bytes > limit && { fault: tooMuch(bytes, limit) }),
  };
}

/** What is said of the bytes of a certificate file that nobody answers for; `inLost` are told of as timestamps. */
function notesOfLeft(
  name: string,
  { left, unneeded, inLost }: Unvouched & { readonly inLost: number },
  isKept: boolean,
): readonly string[] {
  const fate = (what: 'it' | 'they'): string =>
    isKept ? `kept, since the timestamp is over ${what === 'it' ? 'it' : 'them'}` : LEFT_OUT(what);
  const one = unneeded.count === 1;
  const needless = `${counted(unneeded.count, 'certificate')} in "${name}" ${one ? 'is' : 'are'} on no path to whom you trust, and ${fate(one ? 'it' : 'they')}`;
  const others = left - inLost - unneeded.bytes;
  const isWorthTelling = others > (inLost > 0 || unneeded.count > 0 ? BLANK_BYTES : 0);
  return [
    ...(unneeded.count > 0 ? [needless] : []),
    ...(isWorthTelling
      ? [`${others} bytes of "${name}" are of nobody who is trusted, and ${fate('they')}`]
      : []),
  ];
}

/** Timestamps in a CMS signature of trusted signers that prove no time to the caller. */
function lostIn(member: string, cms: SpokenCms | undefined, vouched: Vouched): Carried['lost'] {
  const kept = cms?.found.filter(({ signer }) => signer && vouched.signers.has(signer.fingerprint)) ?? [];
  return kept
    .flatMap(({ timestamps }) => timestamps)
    .filter(({ token }) => !vouched.tokens.has(token))
    .map(({ token }) => ({ member, token }));
}

/** Why nobody answers for a list or an answer. */
function whyNobody(evidence: Attested['evidence'], looked: LookedAt): string {
  const reason = whyUnrelated(evidence, looked, 'the path of a trusted signer or authority');
  if (reason !== undefined) return reason;
  return 'it says to be about a certificate on the path of a trusted signer or authority, and has not been signed by who may speak of that, or may not be used';
}

function whyNoTimestamp(isOver: boolean): string {
  return isOver
    ? `it is a timestamp that proves no time to you, of more than ${UNVOUCHED_BYTES} bytes`
    : 'it is a timestamp over something else than the certificate file';
}

function tooMuchIn(own: number, all: number): string {
  const who = own === all ? 'it holds' : 'together with others it holds';
  return `${who} ${all} bytes that nobody who is trusted has signed, over the limit of ${UNVOUCHED_BYTES}`;
}

function tooMuch(bytes: number, limit: number): BundleError {
  const problem = `${bytes} bytes of certificates, signatures and blanks are of nobody who is trusted, over the limit of ${limit}`;
  return new BundleError('CERTIFICATE_FILE_SYNTAX', problem, {
    why: 'what no trusted key has signed could be anything',
    fix: 'ask the publisher for a bundle with the certificates of the signer alone',
    own: { text: 'sign it again: only the certificates of the signer are written then', advice: 'sign' },
  });
}

/** [cert.11] The signature line, the certificates that somebody answers for, and of the CMS signature what is so. */
function carriedFile(spoken: SpokenFile, vouched: Vouched): CertificateFile {
  const { file, line, cms } = spoken;
  const isKept = (der: Uint8Array): boolean => isOfTrusted(der, vouched);
  const isOfLine = (der: Uint8Array): boolean => fingerprintOf(der) === line.signer?.fingerprint;
  const { cms: _, ...bare } = file;
  const certificates = file.certificates.filter((der) => isKept(der) || isOfLine(der)); // the line is nothing without it
  const hasSigner = cms?.found.some(({ signer }) => signer && vouched.signers.has(signer.fingerprint));
  if (!cms || !hasSigner) {
    const inside = cms?.data.certificates.filter(isKept) ?? [];
    return { ...bare, certificates: distinct([...certificates, ...inside]) };
  }
  const der = formatCarried(cms.der, cmsParts(cms, isKept, vouched), 'the CMS signature');
  return { ...bare, certificates: distinct(certificates), cms: der };
}

/** Bytes of a certificate file that nobody answers for: those not handed on, and those that are. */
function unvouchedBytes({ file, cms }: SpokenFile, carried: CertificateFile, vouched: Vouched): Unvouched {
  const found = new Set(carried.certificates.map(fingerprintOf));
  const left = file.certificates.filter((der) => !found.delete(fingerprintOf(der)));
  const inside = carried.cms ? (cms?.data.certificates ?? []).filter((der) => isOfTrusted(der, vouched)) : [];
  const kept = [...carried.certificates, ...inside].filter(
    (der) => !vouched.certificates.has(fingerprintOf(der)),
  );
  const sizeOf = (ders: readonly Uint8Array[]): number => ders.reduce((sum, der) => sum + der.byteLength, 0);
  const leftInCms = Math.max(0, (file.cms?.byteLength ?? 0) - (carried.cms?.byteLength ?? 0));
  const outside = carried.cms
    ? (cms?.data.certificates ?? []).filter((der) => !isOfTrusted(der, vouched))
    : [];
  const handedOn = new Set(carried.certificates.map(fingerprintOf)); // a second copy of one is needless, and not its signer
  const unneeded = [...left, ...outside].filter((der) => !handedOn.has(fingerprintOf(der)));
  return {
    left: sizeOf(left) + leftInCms + told(file.loose),
    kept: sizeOf(distinct(kept)),
    unneeded: { count: distinct(unneeded).length, bytes: sizeOf(unneeded) },
  };
}

/** How many bytes of a certificate file nobody answers for, and the certificates among them that no signer needs: an intermediate too many, as a rule. */
interface Unvouched {
  readonly left: number;
  readonly kept: number;
  readonly unneeded: { readonly count: number; readonly bytes: number };
}

const NONE_UNVOUCHED: Unvouched = { left: 0, kept: 0, unneeded: { count: 0, bytes: 0 } };

/** Blanks that count. [bundle.9] */
function told(loose: number): number {
  return loose > BLANK_BYTES ? loose : 0;
}
