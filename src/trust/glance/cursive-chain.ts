import { type Certificate, isSignedBy } from '../../crypto/certificate.ts';
import { equalBytes } from '../../kit/bytes.ts';
import { bareRefusal, type CursiveFault } from './cursive.ts';

/** A certificate with the UUID that it was asked for by. */
export interface NamedCertificate {
  readonly uuid: string;
  readonly certificate: Certificate;
}

/** The checks that `verify_certificate` lets its callers switch off; Nova never does. */
export interface ChainRules {
  readonly validDates: boolean;
  readonly signingExtensions: boolean;
  readonly pathLength: boolean;
}

/** What Nova asks for. */
export const ALL_RULES: ChainRules = { validDates: true, signingExtensions: true, pathLength: true };

const OUTSIDE = 'The certificate is outside its valid date range.';

/**
 * What cursive's `verify_certificate` answers: undefined when it accepts. [glance.17]
 *
 * Its defects are part of the answer: a missing path length is an exception, certificates that sign each other are an
 * endless loop (told here as the refusal that a time limit makes of it), and the first issuer found is the only one tried.
 */
export function judgeChainLikeCursive(
  base: Certificate,
  trusted: readonly NamedCertificate[],
  at: Date,
  rules: ChainRules = ALL_RULES,
): CursiveFault | undefined {
  const kept = trusted.filter(
    ({ certificate }) =>
      (!rules.validDates || isWithin(certificate, at)) && (!rules.signingExtensions || maySign(certificate)),
  );
  if (rules.validDates && !isWithin(base, at)) return bareRefusal('CERTIFICATE_EXPIRED', OUTSIDE);
  const chain: NamedCertificate[] = [{ uuid: 'base', certificate: base }]; // the root comes to stand first
  for (;;) {
    const [{ uuid, certificate } = { uuid: 'base', certificate: base }] = chain;
    const found = firstIssuer(certificate, kept);
    if (found && 'error' in found) return found;
    if (!found) return notFound(uuid);
    if (equalBytes(found.certificate.raw, certificate.raw)) break;
    if (chain.some((one) => equalBytes(one.certificate.raw, found.certificate.raw))) return endless();
    chain.unshift(found);
  }
  return rules.pathLength ? judgePathLength(chain, base) : undefined;
}

/** Both ends count, to the second. */
function isWithin({ fields }: Certificate, at: Date): boolean {
  return at.getTime() >= fields.notBefore.getTime() && at.getTime() <= fields.notAfter.getTime();
}

/** Both extensions must be there and say so. */
function maySign({ fields }: Certificate): boolean {
  const { basicConstraints, keyUsage } = fields.extensions;
  return basicConstraints?.ca === true && keyUsage?.has('keyCertSign') === true;
}

function firstIssuer(
  child: Certificate,
  kept: readonly NamedCertificate[],
): NamedCertificate | CursiveFault | undefined {
  for (const candidate of kept) {
    if (!hasName(candidate.certificate, child)) continue;
    const fault = signatureFault(child, candidate.certificate);
    if (fault) return fault;
    if (isSignedBy(child, candidate.certificate)) return candidate;
  }
  return undefined;
}

function hasName({ fields: issuer }: Certificate, { fields: child }: Certificate): boolean {
  const [a, b] = [issuer.subject.attributes, child.issuer.attributes];
  return (
    a.length === b.length && a.every(({ type, value }, i) => type === b[i]?.type && value === b[i]?.value)
  );
}

/** What escapes as an exception: only PKCS #1 v1.5, ECDSA and DSA signatures on certificates are known. */
function signatureFault(child: Certificate, issuer: Certificate): CursiveFault | undefined {
  const { scheme, oid } = child.fields.signature;
  const code = 'PATH_CONSTRAINT';
  if (scheme === undefined || scheme === 'rsa-pss') {
    const message = `Signature algorithm OID: ${oid} not recognized`;
    return { error: 'cryptography.exceptions.UnsupportedAlgorithm', message, code };
  }
  if (scheme === 'eddsa') {
    const message = 'Expected instance of hashes.HashAlgorithm.';
    return { error: 'builtins.TypeError', message, code };
  }
  const { type } = issuer.key;
  if (type === 'ed25519' || type === 'ed448') {
    const message = `${type === 'ed25519' ? '_Ed25519' : '_Ed448'}PublicKey.verify() takes 3 positional arguments but 4 were given`;
    return { error: 'builtins.TypeError', message, code };
  }
  return undefined;
}

/** [glance.17] A slip in operator precedence makes the second of the two texts as short as it is. */
function notFound(uuid: string): CursiveFault {
  const whole =
    'Certificate chain building failed. Could not locate the signing certificate for the base certificate in the set of trusted certificates.';
  return bareRefusal('SIGNER_UNKNOWN', uuid === 'base' ? whole : `certificate '${uuid}'`);
}

function endless(): CursiveFault {
  return { error: 'builtins.RuntimeError', message: 'HANG: did not end within 5 s', code: 'PATH_LIMIT' };
}

function judgePathLength(chain: readonly NamedCertificate[], base: Certificate): CursiveFault | undefined {
  for (const [i, { uuid, certificate }] of chain.entries()) {
    if (equalBytes(certificate.raw, base.raw)) return undefined;
    const { basicConstraints } = certificate.fields.extensions;
    if (!basicConstraints) {
      const text = `Certificate validation failed. The signing certificate '${uuid}' does not have a basic constraints extension.`;
      return bareRefusal('PATH_CONSTRAINT', text);
    }
    const below = Math.max(0, chain.length - i - 2);
    if (basicConstraints.pathLen === undefined) {
      const message = "'<' not supported between instances of 'NoneType' and 'int'";
      return { error: 'builtins.TypeError', message, code: 'PATH_CONSTRAINT' };
    }
    if (basicConstraints.pathLen >= below) continue;
    const text = `Certificate validation failed. The signing certificate '${uuid}' is not configured to support certificate chains of sufficient length.`;
    return bareRefusal('PATH_CONSTRAINT', text);
  }
  return undefined;
}
