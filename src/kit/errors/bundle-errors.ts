import type { Advised } from './advice.ts';
import { FETCH_AGAIN, PACKED_ANEW, REBUILT } from './archive-errors.ts';
import type { ErrorRow } from './error-kinds.ts';

/** What to do about a signature for whoever makes it. */
export const SIGNED_ANEW: Advised = { text: 'sign the bundle again', advice: 'sign' };

/** Faults of what a bundle holds, and verdicts about it. */
export const BUNDLE_ERRORS = {
  // The package
  PACKAGE_UNKNOWN: {
    kind: 'package',
    why: 'without a descriptor (.ovf) or a manifest (.mf) nothing says what these files are',
    fix: { text: 'give a bundle; files are packed into one first', advice: 'pack-files' },
  },
  PACKAGE_AMBIGUOUS: {
    kind: 'package',
    why: 'two readers could take different files for the one that counts',
    fix: REBUILT,
    own: PACKED_ANEW,
  },
  MANIFEST_MISSING: {
    kind: 'package',
    why: 'without a manifest no digest says what the files must be, so there is nothing to verify',
    fix: 'ask the publisher for a bundle with a manifest (.mf) and a signature (.cert)',
    own: { text: 'unpack it, and pack it again with a manifest', advice: 'pack-signed' },
  },
  MANIFEST_SYNTAX: {
    kind: 'package',
    why: 'a line that is skipped is a file that is not verified, so a manifest is understood whole or refused',
    fix: 'ask the publisher to write each line as SHA256(name)= hex, and to sign the manifest again',
    own: PACKED_ANEW,
  },
  BLOCKS_SYNTAX: {
    kind: 'package',
    why: 'digests of blocks that two programs could read differently would find two contents good',
    fix: {
      text: 'fetch the bundle again; if it repeats, ask the publisher to pack it again with block digests',
      advice: 'pack-with-blocks',
    },
    own: { text: 'unpack it, and pack it again with block digests', advice: 'pack-with-own-blocks' },
  },
  BLOCKS_CONFLICT: {
    kind: 'package',
    why: 'the manifest vouches for one content of the file, and the digests of its blocks for another',
    fix: 'report it to the publisher: both were signed together',
    own: { text: 'unpack it, and pack it again with block digests', advice: 'pack-with-own-blocks' },
  },
  MANIFEST_DUPLICATE: {
    kind: 'package',
    why: 'some readers check the first line for a file and some the last',
    fix: 'ask the publisher for a manifest with one line for each file',
    own: PACKED_ANEW,
  },
  CERTIFICATE_FILE_SYNTAX: {
    kind: 'package',
    why: 'a certificate file is understood whole or refused: a signature that cannot be read is no signature',
    fix: 'ask the publisher to sign the bundle again',
    own: SIGNED_ANEW,
  },
  CERTIFICATE_MALFORMED: {
    kind: 'package',
    why: 'a certificate that does not follow X.509 exactly may be read differently by different programs',
    fix: 'ask whoever gave it to you for one that is sound: openssl x509 -text shows what is in it; the holder of a damaged one has it issued again',
  },
  CMS_SYNTAX: {
    kind: 'package',
    why: 'a CMS structure that can be read in two ways, or not at all, proves nothing',
    fix: 'ask the publisher for a detached CMS signature (RFC 5652), such as bulla or openssl cms -sign -binary writes',
    own: SIGNED_ANEW,
  },
  REVOCATION_MALFORMED: {
    kind: 'package',
    why: 'revocation information that cannot be read whole could hide that a certificate is revoked',
    fix: 'fetch it again from its issuer; inspect it with openssl crl -text or openssl ocsp -respin FILE -text',
  },
  TIMESTAMP_MALFORMED: {
    kind: 'package',
    why: 'a timestamp that cannot be read proves no time',
    fix: { text: 'ask the publisher to timestamp the bundle again', advice: 'timestamp' },
    own: { text: 'sign the bundle again, with a timestamp at once', advice: 'sign-and-timestamp' },
  },
  PROPERTIES_MALFORMED: {
    kind: 'package',
    why: 'signature properties that are incomplete, or that two programs read in two ways, prove nothing',
    fix: { text: 'have the image signed again', advice: 'sign-image-again' },
  },
  DESCRIPTOR_SYNTAX: {
    kind: 'package',
    why: 'the descriptor says which files make the appliance; it is understood or refused',
    fix: 'correct the descriptor, or ask the publisher for one that is valid OVF',
    own: { text: 'correct the descriptor, and pack it again', advice: 'pack-described' },
  },
  DESCRIPTOR_UNLISTED: {
    kind: 'package',
    why: 'the signature does not cover the descriptor, so anyone may have changed the machine it describes',
    fix: 'ask the publisher to list the .ovf file in the manifest and sign it again (ovftool before 4.1 leaves it out)',
    own: PACKED_ANEW,
  },
  FILE_UNLISTED: {
    kind: 'package',
    why: 'nothing vouches for a file that the manifest does not list',
    fix: 'ask the publisher to list every file, or to leave this one out',
    own: PACKED_ANEW,
  },
  FILE_UNREFERENCED: {
    kind: 'package',
    why: 'the descriptor does not say what this file is for, and OVF allows no file beside those it names',
    fix: 'ask the publisher to name the file in References of the descriptor, or to leave it out',
    own: {
      text: 'name the file in References of the descriptor, or leave it out, and pack it again',
      advice: 'pack-described',
    },
  },
  FILE_MISSING: {
    kind: 'package',
    why: 'the bundle is not whole',
    fix: FETCH_AGAIN,
    own: { text: 'put the file beside the others, and pack them again', advice: 'pack-again' },
  },
  ALGORITHM_UNSUPPORTED: {
    kind: 'unsupported',
    why: 'a digest or signature that bulla cannot compute proves nothing',
    fix: 'ask the publisher for SHA-256, SHA-384 or SHA-512',
    own: 'use SHA-256, SHA-384 or SHA-512',
  },

  // The verdict
  DIGEST_MISMATCH: {
    kind: 'digest',
    why: 'the bytes were changed or damaged after the manifest was written',
    fix: 'do not use it; fetch it again, and if it repeats, report it to the publisher',
    own: [
      { text: 'if you changed it yourself, unpack the bundle, and pack it anew', advice: 'pack-again' },
      'otherwise take the bundle again from where it was made',
    ],
  },
  SIGNATURE_MISSING: {
    kind: 'unsigned',
    why: 'matching digests prove only that the bundle agrees with itself; anyone can make such a bundle',
    fix: {
      text: 'ask the publisher for the signed bundle; or, if it is your own, sign it',
      advice: 'sign-own',
    },
    own: { text: 'sign it', advice: 'sign-own' },
  },
  SIGNATURE_INVALID: {
    kind: 'signature',
    why: 'what was signed has been changed since, or the signature belongs to something else',
    fix: 'do not use it; fetch it again, and if it repeats, report it to the publisher',
    own: SIGNED_ANEW,
  },
  CERTIFICATE_EXPIRED: {
    kind: 'validity',
    why: 'nothing proves that the signature was made while the certificate was valid',
    fix: 'ask the publisher for a bundle that is signed with a current certificate, or timestamped',
    own: {
      text: 'sign it again with a current certificate, and with a timestamp',
      advice: 'sign-and-timestamp',
    },
  },
  CERTIFICATE_NOT_YET_VALID: {
    kind: 'validity',
    why: 'the certificate says it may not be used yet',
    fix: 'check the clock of this machine; otherwise ask the publisher',
    own: 'check the clock of this machine; otherwise sign with a certificate that is valid',
  },
  CERTIFICATE_REVOKED: {
    kind: 'validity',
    why: 'its issuer has withdrawn the certificate, so whoever holds the key may be somebody else by now',
    fix: 'do not use it; ask the publisher for one that is signed with a certificate that is not revoked',
    own: {
      text: 'have another certificate issued for a new key, and sign it again with that',
      advice: 'sign',
    },
  },
  REVOCATION_UNKNOWN: {
    kind: 'validity',
    why: 'you demand proof that no certificate is revoked, and there is none that is fresh',
    fix: {
      text: 'fetch the current CRL of the issuer, and give it, too, or put it into the revocation folder of your trust folder',
      advice: 'give-crl',
    },
  },
  DIGEST_WEAK: {
    kind: 'policy',
    why: 'SHA-1 collisions can be bought, so a SHA-1 digest does not tie a signature to one content',
    fix: 'ask the publisher to sign again with SHA-256 or better',
    own: PACKED_ANEW,
  },
  KEY_WEAK: {
    kind: 'policy',
    why: 'a key this short can be broken, and then anyone can sign',
    fix: 'ask the publisher to sign with RSA of 2048 bits or more, or with P-256, P-384, P-521 or Ed25519',
    own: 'sign with RSA of 2048 bits or more, or with P-256, P-384, P-521 or Ed25519',
  },
  PURPOSE_REFUSED: {
    kind: 'policy',
    why: 'a certificate issued for another purpose (a web server, say) must not vouch for machines',
    fix: 'ask the publisher for a certificate with the extended key usage codeSigning (or emailProtection, or none)',
    own: 'have a certificate issued with the extended key usage codeSigning (or emailProtection, or none), and sign with that',
  },
  PATH_CONSTRAINT: {
    kind: 'policy',
    why: 'a certificate in the path says that it may not be used so',
    fix: 'ask the publisher for a certificate issued by a proper certification authority',
    own: 'have a certificate issued by a proper certification authority, and sign with that',
  },
  PATH_LIMIT: {
    kind: 'policy',
    why: 'the limit keeps certificates that are crafted to have countless paths from exhausting this machine',
    fix: 'ask the publisher to send only the certificates between its own and the CA certificate that you trust',
    own: 'sign with only the certificates between your own and the CA certificate that is trusted',
  },
  PATH_TOO_LONG: {
    kind: 'policy',
    why: 'a path longer than any honest authority needs is made to hide something, or to keep the verifier busy',
    fix: 'ask the publisher for a certificate issued nearer to the CA certificate that you trust',
    own: 'have a certificate issued nearer to the CA certificate that is trusted',
  },
  NAME_LIMIT: {
    kind: 'policy',
    why: 'the limit keeps certificates with countless names and name constraints from exhausting this machine',
    fix: 'ask the publisher for a certificate with fewer names, or the authority for fewer name constraints',
    own: 'have a certificate issued with fewer names, or ask the authority for fewer name constraints',
  },
  POLICY_LIMIT: {
    kind: 'policy',
    why: 'the limit keeps certificates with countless policies and mappings from exhausting this machine',
    fix: 'ask the publisher for a certificate with fewer policies',
    own: 'have a certificate issued with fewer policies',
  },
  TIMESTAMP_INVALID: {
    kind: 'policy',
    why: 'you demand a timestamp, and this one proves nothing about when the signature was made',
    fix: {
      text: 'see the reason; the certificate of the timestamp authority is to be one that you trust for timestamping',
      advice: 'trust-authority',
    },
  },
  TIMESTAMP_MISSING: {
    kind: 'policy',
    why: 'you demand a timestamp, and nothing else proves when the signature was made',
    fix: { text: 'ask the publisher to timestamp the bundle', advice: 'timestamp' },
    own: { text: 'timestamp the bundle', advice: 'timestamp' },
  },
  SUBJECT_REFUSED: {
    kind: 'policy',
    why: 'the publisher is known, but this certificate is not one of those that may sign for it',
    fix: { text: 'compare the subject with publisher.toml', advice: 'show-publisher' },
  },
  SCOPE_REFUSED: {
    kind: 'policy',
    why: 'the publisher may sign some bundles, and this is none of them',
    fix: {
      text: 'compare with the scopes of the publisher; "_" stands for a descriptor that names no vendor',
      advice: 'show-scopes',
    },
  },
  PUBLISHER_LIFETIME: {
    kind: 'policy',
    why: 'you trust this publisher only for a time, and this is outside of it',
    fix: { text: 'see from and until of the publisher', advice: 'show-publisher' },
  },
  THRESHOLD_NOT_MET: {
    kind: 'policy',
    why: 'you ask more signers of this publisher than the bundle has',
    fix: { text: 'see threshold of the publisher', advice: 'show-publisher' },
  },
  REQUIREMENT_NOT_MET: {
    kind: 'policy',
    why: 'you ask for a kind of signature of this publisher that the bundle does not have: it may have been taken away',
    fix: {
      text: 'fetch the bundle again from the publisher; see require of the publisher',
      advice: 'show-publisher',
    },
    own: {
      text: 'sign it as the publisher is to sign; see require of the publisher',
      advice: 'show-publisher',
    },
  },
  SIGNER_UNKNOWN: {
    kind: 'unknown-signer',
    why: 'nothing you trust vouches for the key, and anyone can make such a certificate',
    fix: {
      text: 'get the CA certificate from the publisher by a way you trust, and add it to what you trust',
      advice: 'trust-publisher',
    },
  },
  TRUST_EMPTY: {
    kind: 'no-trust',
    why: 'without a publisher that you trust, a signature shows only that somebody signed',
    fix: {
      text: 'get the CA certificate from the publisher by a way you trust, and add it to what you trust',
      advice: 'trust-somebody',
    },
  },
} as const satisfies Record<string, ErrorRow>;
