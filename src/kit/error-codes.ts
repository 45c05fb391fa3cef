/** Who must act on a fault; each kind has one exit code (`operations/exit-codes.ts`). */
export type ErrorKind =
  | 'internal'
  | 'usage'
  | 'io'
  | 'network'
  | 'unauthorised'
  | 'unsigned'
  | 'digest'
  | 'signature'
  | 'validity'
  | 'policy'
  | 'archive'
  | 'package'
  | 'unsupported'
  | 'unknown-signer'
  | 'no-trust'
  | 'interrupted'
  | 'terminated';

interface ErrorRow {
  readonly kind: ErrorKind;
  readonly why: string;
  readonly fix: string;
}

const REBUILT = 'ask the publisher for a bundle packed by a strict tool, or repack the files with bulla pack';
const FETCH_AGAIN = 'fetch the bundle again and compare sizes; if it repeats, report it to the publisher';
const WRITABLE = 'check the path, its permissions and the device it lies on';

/** Every code with its kind, why it matters and what to do; `spec/errors.md` documents each, a test keeps the two together. */
export const ERROR_TABLE = {
  INTERNAL: {
    kind: 'internal',
    why: 'this is a fault of bulla, so nothing it was asked to judge has been judged',
    fix: 'report it with the command, the input if you can share it, and this message',
  },

  // What was asked
  USAGE: {
    kind: 'usage',
    why: 'the command was not understood, so nothing was done',
    fix: 'see bulla --help, or bulla COMMAND --help',
  },
  CONFIG_INVALID: {
    kind: 'usage',
    why: 'a configuration that is only partly understood could trust the wrong signer',
    fix: 'correct the file; bulla trust list shows what is read',
  },
  KEY_UNREADABLE: {
    kind: 'usage',
    why: 'without the private key nothing can be signed',
    fix: 'give a PEM private key: PKCS#8 (plain or encrypted), PKCS#1 or SEC1',
  },
  KEY_MISMATCH: {
    kind: 'usage',
    why: 'every importer would find the signature invalid',
    fix: 'give the certificate that was issued for this key; compare: openssl pkey -in KEY -pubout and openssl x509 -in CERT -pubkey -noout',
  },
  PASSPHRASE_NEEDED: {
    kind: 'usage',
    why: 'the private key is encrypted',
    fix: 'run in a terminal to be asked, or give --passphrase-file FILE, or set BULLA_PASSPHRASE_FILE',
  },
  DESTINATION_EXISTS: {
    kind: 'usage',
    why: 'bulla never mixes its output with files that are already there, and never overwrites them unasked',
    fix: 'choose another destination, or remove this one',
  },

  // The machine
  FILE_NOT_FOUND: { kind: 'io', why: 'there is nothing to read', fix: 'check the path and the spelling' },
  FILE_UNREADABLE: { kind: 'io', why: 'the input cannot be read', fix: WRITABLE },
  FILE_CHANGED: {
    kind: 'io',
    why: 'what was hashed and what would be used may differ',
    fix: 'make sure nothing writes to the file, then run again',
  },
  INPUT_STALLED: {
    kind: 'io',
    why: 'an input that never ends must not hold the importer for ever',
    fix: 'check the program or network that feeds this input, then run again',
  },
  STORAGE_FULL: {
    kind: 'io',
    why: 'the files cannot be stored whole, so none of them is kept',
    fix: 'free space on the file system of the destination, or choose another destination',
  },
  STORAGE_FAILED: { kind: 'io', why: 'the output cannot be written, so none of it is kept', fix: WRITABLE },
  REMOTE_FAILED: {
    kind: 'network',
    why: 'the bundle could not be fetched whole',
    fix: 'check the address and the network; or fetch it with another tool and give the file',
  },
  REMOTE_UNAUTHORISED: {
    kind: 'unauthorised',
    why: 'the server did not let bulla read the bundle',
    fix: 'fetch it with a tool that can sign in, and pipe it: curl … | bulla verify -',
  },
  PASSPHRASE_WRONG: {
    kind: 'unauthorised',
    why: 'the private key cannot be opened with this passphrase',
    fix: 'check the passphrase; a file given with --passphrase-file counts up to its first line end',
  },
  INTERRUPTED: {
    kind: 'interrupted',
    why: 'the work was stopped before its end',
    fix: 'run the command again; nothing was left behind',
  },
  TERMINATED: {
    kind: 'terminated',
    why: 'the work was stopped before its end',
    fix: 'run the command again; nothing was left behind',
  },

  // The archive
  FORMAT_UNSUPPORTED: {
    kind: 'unsupported',
    why: 'bulla reads only formats that every reader understands alike',
    fix: 'give an OVA, a tar or a gzip-compressed tar',
  },
  ARCHIVE_EMPTY: { kind: 'archive', why: 'there is nothing to verify', fix: FETCH_AGAIN },
  ARCHIVE_TRUNCATED: {
    kind: 'archive',
    why: 'the archive ends early: part of it is missing, and a cut between members would go unnoticed by many readers',
    fix: FETCH_AGAIN,
  },
  ARCHIVE_HEADER: {
    kind: 'archive',
    why: 'tar readers disagree about such a header, so what one verifies another may not unpack',
    fix: REBUILT,
  },
  ARCHIVE_PAX: {
    kind: 'archive',
    why: 'tar readers disagree about such an extended header, so two of them may see different files',
    fix: REBUILT,
  },
  ARCHIVE_SIZE_CONFLICT: {
    kind: 'archive',
    why: 'two readers would see different files in the same bytes',
    fix: REBUILT,
  },
  ARCHIVE_TYPE: {
    kind: 'archive',
    why: 'a bundle holds regular files only; links, folders and devices are how archives escape their folder',
    fix: REBUILT,
  },
  ARCHIVE_NAME: {
    kind: 'archive',
    why: 'such a name could leave the destination folder, or mean different files on different systems',
    fix: REBUILT,
  },
  ARCHIVE_DUPLICATE: {
    kind: 'archive',
    why: 'some readers keep the first of them and some the last',
    fix: REBUILT,
  },
  ARCHIVE_PADDING: {
    kind: 'archive',
    why: 'the bytes between members belong to no file and nothing vouches for them',
    fix: REBUILT,
  },
  ARCHIVE_TRAILING: {
    kind: 'archive',
    why: 'some readers stop at the end mark and some read on, so they see different archives',
    fix: REBUILT,
  },
  ARCHIVE_LIMIT: {
    kind: 'archive',
    why: 'the limit keeps a hostile archive from exhausting this machine',
    fix: 'if the bundle is honest, ask the publisher to pack it smaller',
  },
  GZIP_MALFORMED: {
    kind: 'archive',
    why: 'gzip readers disagree about such a file, so two of them may see different archives',
    fix: FETCH_AGAIN,
  },

  // The package
  PACKAGE_UNKNOWN: {
    kind: 'package',
    why: 'without a descriptor (.ovf) or a manifest (.mf) nothing says what these files are',
    fix: 'give a bundle; files are packed with: bulla pack',
  },
  PACKAGE_AMBIGUOUS: {
    kind: 'package',
    why: 'two readers could take different files for the one that counts',
    fix: REBUILT,
  },
  MANIFEST_MISSING: {
    kind: 'package',
    why: 'without a manifest no digest says what the files must be, so there is nothing to verify',
    fix: 'ask the publisher for a bundle with a manifest (.mf) and a signature (.cert)',
  },
  MANIFEST_SYNTAX: {
    kind: 'package',
    why: 'a line that is skipped is a file that is not verified, so a manifest is understood whole or refused',
    fix: 'ask the publisher to write each line as SHA256(name)= hex, and to sign the manifest again',
  },
  MANIFEST_DUPLICATE: {
    kind: 'package',
    why: 'some readers check the first line for a file and some the last',
    fix: 'ask the publisher for a manifest with one line for each file',
  },
  CERTIFICATE_FILE_SYNTAX: {
    kind: 'package',
    why: 'a certificate file is understood whole or refused: a signature that cannot be read is no signature',
    fix: 'ask the publisher to sign the bundle again',
  },
  CERTIFICATE_MALFORMED: {
    kind: 'package',
    why: 'a certificate that does not follow X.509 exactly may be read differently by different programs',
    fix: 'inspect it with openssl x509 -text, and have it issued again',
  },
  DESCRIPTOR_SYNTAX: {
    kind: 'package',
    why: 'the descriptor says which files make the appliance; it is understood or refused',
    fix: 'ask the publisher for a descriptor that is valid OVF',
  },
  DESCRIPTOR_UNLISTED: {
    kind: 'package',
    why: 'the signature does not cover the descriptor, so anyone may have changed the machine it describes',
    fix: 'ask the publisher to list the .ovf file in the manifest and sign it again (ovftool before 4.1 leaves it out)',
  },
  FILE_UNLISTED: {
    kind: 'package',
    why: 'nothing vouches for a file that the manifest does not list',
    fix: 'ask the publisher to list every file, or to leave this one out',
  },
  FILE_UNREFERENCED: {
    kind: 'package',
    why: 'the descriptor does not say what this file is for, and OVF allows no file beside those it names',
    fix: 'ask the publisher to name the file in References of the descriptor, or to leave it out',
  },
  FILE_MISSING: {
    kind: 'package',
    why: 'the bundle is not whole',
    fix: FETCH_AGAIN,
  },
  ALGORITHM_UNSUPPORTED: {
    kind: 'unsupported',
    why: 'a digest or signature that bulla cannot compute proves nothing',
    fix: 'ask the publisher for SHA-256, SHA-384 or SHA-512',
  },

  // The verdict
  DIGEST_MISMATCH: {
    kind: 'digest',
    why: 'the bytes were changed or damaged after the manifest was written',
    fix: 'do not use this image; fetch the bundle again, and if it repeats, report it to the publisher',
  },
  SIGNATURE_MISSING: {
    kind: 'unsigned',
    why: 'matching digests prove only that the bundle agrees with itself; anyone can make such a bundle',
    fix: 'ask the publisher for the signed bundle',
  },
  SIGNATURE_INVALID: {
    kind: 'signature',
    why: 'the manifest was changed after it was signed, or the signature belongs to something else',
    fix: 'do not use this image; fetch the bundle again, and if it repeats, report it to the publisher',
  },
  CERTIFICATE_EXPIRED: {
    kind: 'validity',
    why: 'nothing proves that the signature was made while the certificate was valid',
    fix: 'ask the publisher for a bundle signed with a current certificate',
  },
  CERTIFICATE_NOT_YET_VALID: {
    kind: 'validity',
    why: 'the certificate says it may not be used yet',
    fix: 'check the clock of this machine; otherwise ask the publisher',
  },
  DIGEST_WEAK: {
    kind: 'policy',
    why: 'SHA-1 collisions can be bought, so a SHA-1 digest does not tie a signature to one content',
    fix: 'ask the publisher to sign again with SHA-256 or better',
  },
  KEY_WEAK: {
    kind: 'policy',
    why: 'a key this short can be broken, and then anyone can sign',
    fix: 'ask the publisher to sign with RSA of 2048 bits or more, or with P-256, P-384, P-521 or Ed25519',
  },
  PURPOSE_REFUSED: {
    kind: 'policy',
    why: 'a certificate issued for another purpose (a web server, say) must not vouch for machines',
    fix: 'ask the publisher for a certificate with the extended key usage codeSigning (or emailProtection, or none)',
  },
  PATH_CONSTRAINT: {
    kind: 'policy',
    why: 'a certificate in the path says that it may not be used so',
    fix: 'ask the publisher for a certificate issued by a proper certification authority',
  },
  PATH_LIMIT: {
    kind: 'policy',
    why: 'the limit keeps certificates that are crafted to have countless paths from exhausting this machine',
    fix: 'ask the publisher to send only the certificates between its own and the CA certificate that you trust',
  },
  SUBJECT_REFUSED: {
    kind: 'policy',
    why: 'the publisher is known, but this certificate is not one of those that may sign for it',
    fix: 'compare the subject with publisher.toml (bulla trust show PUBLISHER)',
  },
  SCOPE_REFUSED: {
    kind: 'policy',
    why: 'the publisher may sign some bundles, and this is none of them',
    fix: 'compare with the scopes of the publisher (bulla trust show PUBLISHER)',
  },
  PUBLISHER_LIFETIME: {
    kind: 'policy',
    why: 'you trust this publisher only for a time, and this is outside of it',
    fix: 'see from and until of the publisher (bulla trust show PUBLISHER)',
  },
  THRESHOLD_NOT_MET: {
    kind: 'policy',
    why: 'you ask more signers of this publisher than the bundle has',
    fix: 'see threshold of the publisher (bulla trust show PUBLISHER)',
  },
  SIGNER_UNKNOWN: {
    kind: 'unknown-signer',
    why: 'the signature is good, but nothing you trust vouches for the key: anyone can make such a certificate',
    fix: 'get the CA certificate from the publisher by a way you trust, then: bulla trust add NAME ca.pem',
  },
  TRUST_EMPTY: {
    kind: 'no-trust',
    why: 'without a publisher that you trust, a signature shows only that somebody signed',
    fix: 'get the CA certificate from the publisher by a way you trust, then: bulla trust add NAME ca.pem (or once: --trust ca.pem)',
  },
} as const satisfies Record<string, ErrorRow>;
