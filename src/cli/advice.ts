import { type Advice, isAdvised, plain, type Told } from '../kit/errors/advice.ts';
import { RELAXATION_MEANINGS, type Relaxation } from '../kit/relaxation.ts';
import { isShownWhole, shellPath, shellWord } from '../kit/shell.ts';
import type { ErrorReport, Report } from '../verdict/report/report.ts';
import { innerCommand, type Typed, type TypedBeside, typedIn, withNames, withTrust } from './typed-names.ts';
import { by, instead, more, thenOn, thus, type Wording } from './wording.ts';

const CA = 'get the CA certificate from the publisher by a way you trust, then: bulla trust add NAME ca.pem';

/** What the command line has for each thing that can be done. */
const WORDINGS: Readonly<Record<Advice, Wording>> = {
  'add-publisher': (text, name) => `${text}: bulla trust add ${name} ca.pem`,
  'allow-members': thus('--max-members COUNT'),
  'allowed:anySalt': by('--allow-any-salt'),
  'allowed:followLinks': by('--follow-links'),
  'allowed:ignoreManifest': by('--ignore-manifest'),
  'allowed:legacyMd5': by('--allow-legacy-md5'),
  'allowed:sha1': by('--allow-sha1'),
  'allowed:unlistedDescriptor': by('--allow-unlisted-descriptor'),
  'allowed:unsigned': instead('unsigned bundle accepted (--allow-unsigned): nothing shows who made it'),
  'allowed:weakKeys': by('--allow-weak-keys'),
  'answer-request': instead(
    'have an authority answer the request of --tsq-out, and give its reply: a .tsr file, in DER',
  ),
  'any-key-type': instead('leave out --key-type'),
  'ask-elsewhere': thus('bulla timestamp --tsq-out'),
  'at-another-moment': more('; to judge it at another moment: --at TIME'),
  'chunks-or-blocks': instead('leave out one of --chunk-size and --block-digests'),
  'correct-options': more('; bulla trust add --help shows their form'),
  'correct-settings': more('; bulla trust list shows what is read'),
  'cut-by-descriptor': instead(
    'leave out --chunk-size; or set ovf:chunkSize in the descriptor, and cut the file: split -b SIZE -d -a 9 FILE FILE.',
  ),
  'file-alone': instead(
    'give the bundle; a file of any other kind is verified with the detached signature that its publisher gives beside it: bulla verify FILE --signature FILE.p7s',
  ),
  'folder-for-each': instead('give --to once, or once for each volume; or a larger --size'),
  'for-another-purpose': more('; to judge it for another purpose: --purpose'),
  'give-barbican': instead('give the address: --barbican URL; or set OS_REGION_NAME and OS_INTERFACE'),
  'give-certificate': instead(
    'give it with --cert; for trying things out, both are made by: bulla dev-certs DIR',
  ),
  'give-chain': (_, problem) => `${problem}; then give it with --chain`,
  'give-crl': instead(
    'fetch the current CRL of the issuer, and give it with --crl or put it into the revocation folder of your trust folder',
  ),
  'give-issuer': instead('give the missing issuer with --untrusted, or with --trust if you trust it'),
  'give-keystone': instead(
    'set OS_AUTH_URL or give --os-auth-url; or set OS_TOKEN and give the address of Barbican',
  ),
  'give-passphrase': instead(
    'run in a terminal to be asked, or give --passphrase-file FILE, or set BULLA_PASSPHRASE_FILE',
  ),
  'give-pin': more(
    ', in quotes where there are blanks; bulla verify prints that of the key of a signer as "key"',
  ),
  'give-volumes': instead('copy the volume again; or give those that bulla split has made'),
  'image-alone': instead(
    'if its publisher gives a detached signature of the image: bulla verify IMAGE --signature IMAGE.p7s; a bundle of your own is made of it with: bulla pack IMAGE -o NEW.ova --key … --cert …',
  ),
  'import-all': instead('import it without --images-only; bulla inspect shows what is in it'),
  'import-compressed': instead('import it without --decompress, then: bunzip2 FILE'),
  'import-stored': instead(
    'give it another name in the descriptor, or ask the publisher to; bulla import --keep-chunks, without --decompress, leaves it as it is stored',
  ),
  'is-authority': (_, name) => `bulla trust remove ${name} --timestamping`,
  'is-publisher': (_, name) => `bulla trust remove ${name}`,
  join: thus('bulla join VOLUME… -o BUNDLE'),
  'join-or-keep': instead('leave out --keep-chunks, or --decompress'),
  'keep-as-stored': (_, made) =>
    `${made}, so a program that looks for that needs an import with --keep-chunks, and without --decompress`,
  'keep-timestamp': (_, lost) =>
    `${lost}; where only trust in its authority is missing, --trust-tsa FILE keeps it`,
  'kept-beside': more('; where it is not needed any more, bulla clean removes it'),
  'larger-chunks': instead('give a larger --chunk-size, such as 2GiB'),
  'larger-volumes': instead('give a larger --size'),
  'list-trusted': instead('see bulla trust list'),
  'longer-deadline': instead(
    'check what feeds this input and how fast; then run again, with a longer --deadline if it is honest',
  ),
  'longer-path': instead('give fewer certificates, or a higher --max-depth; at most ten are followed'),
  'look-at-volumes': (text) => `see bulla clean: ${text}`,
  'name-certificates': instead(
    'check the address, the network and the certificate authority (--os-cacert); or give the certificates in a folder: --certificates DIR',
  ),
  'name-copy': thus('-o COPY.ova'),
  'name-output': instead(
    'name a file with -o, or let standard output go to one, or to a program (> /dev/null, to throw it away)',
  ),
  'name-output-or-room': instead('name a file with -o; or set TMPDIR to a folder with room for it'),
  'name-publisher': more(', as in: bulla trust add acme ca.pem'),
  'name-server-ca': instead('if the server has a CA of its own, name it: NODE_EXTRA_CA_CERTS=ca.pem bulla …'),
  'new-folder': more(', such as --to web'),
  'no-disk-to-sign': instead(
    'leave out --glance-sign or --glance-properties; bulla inspect shows what is in a bundle',
  ),
  'nothing-is-kept': instead(
    'nothing is kept for --resume: no block digests have come, so that the next run begins anew (bulla pack --block-digests writes them)',
  ),
  'other-hash': instead('give another --hash, or another key'),
  'own-trust-folder': instead(
    'let this user read it; where it is another user\u2019s, HOME is (or XDG_CONFIG_HOME, BULLA_HOME): after sudo or su, set BULLA_HOME to a folder of your own',
  ),
  pack: more(' pack'),
  'pack-again': thus('bulla pack NAME.ovf -o NAME.ova (or bulla pack --plain FILE… -o NAME.tar)'),
  // [show.4] somebody else chose the name, and what is advised may be copied into a shell
  'pack-descriptor': (_, name) =>
    `give the descriptor alone, whose files are packed with it: bulla pack ${isShownWhole(name) ? shellPath(name) : 'NAME.ovf'} -o NEW.ova --key … --cert …; an archive that has to hold other files as well (a Vagrant box) is signed as the file that it is: bulla sign FILE --detached --key … --cert …`,
  'pack-described': thus('bulla pack FOLDER/NAME.ovf -o NEW.ova'),
  'pack-disks': thus('vma extract FILE FOLDER; bulla pack FOLDER/*.raw -o NEW.ova'),
  // [show.4] somebody else chose the name, and what is advised may be copied into a shell
  'pack-edited': (text, name, typed) =>
    typed.isLoose
      ? `${text.replace('unpack the bundle, and ', '')}: ${withNames('bulla pack BUNDLE -o NEW.ova --key … --cert …', typed)}`
      : `${text}: bulla pack FOLDER/${isShownWhole(name) ? shellWord(name) : 'NAME.ovf'}${withNames(' -o NEW.ova --key … --cert …', typed)}`,
  'pack-files': instead('give a bundle; files are packed with: bulla pack'),
  'pack-folder': instead(
    'give the .ova file; a folder is packed with: bulla pack FOLDER/NAME.ovf -o NAME.ova',
  ),
  'pack-image': instead(
    'give an OVA, a tar, a gzip-compressed tar or a zip; a bare disk image is made into one with: bulla pack',
  ),
  'pack-more': instead(
    'pack fewer files, or more in one; or give --max-members here, and to whoever imports it',
  ),
  'pack-named': more('; files of other kinds are packed with --plain'),
  'pack-plain': instead('give a disk image; files of other kinds are packed with --plain'),
  'pack-signed': thus('bulla pack NAME.ovf -o NAME.ova --key … --cert …'),
  'pack-unpacked': (text, _, typed) =>
    typed.isLoose
      ? `${text.replace(/^unpack it, and /, '')}: ${withNames('bulla pack BUNDLE -o NEW.ova --key … --cert …', typed)}`
      : `${text}: ${withNames('bulla pack FOLDER -o NEW.ova --key … --cert …', typed)}`,
  'pack-with-blocks': instead(
    'fetch the bundle again; if it repeats, ask the publisher to pack it again with: bulla pack --block-digests',
  ),
  'pack-with-own-blocks': thus('bulla pack FOLDER/NAME.ovf -o NEW.ova --block-digests'),
  'pack-without-blocks': instead('leave out --block-digests'),
  'pack-zip': thus('bulla pack NAME.ovf -o NAME.zip, or zip -X -D NAME.zip FILE…'),
  'pin-and-certificate': (_, key) =>
    `ask the publisher, by a way you trust, for the SHA-256 of its public key; this one has ${key}; of an issuer whose certificate did not come along, give that certificate: --untrusted FILE, beside --pin`,
  'pipe-fetched': thus('curl ADDRESS | bulla verify -'),
  'pipe-input': thus('curl https://… | bulla verify -'),
  'pipe-output': instead('name a file with -o, or pipe it on: … -o - | bulla verify -'),
  'pipe-unpacked': (_, unpacking, typed) =>
    `unpack it on the way, which keeps the signature of its publisher: ${unpacking} | ${withTrust('bulla verify -', typed)}`,
  relaxed: (_, name) => `let pass: ${RELAXATION_MEANINGS[name as Relaxation]} (--relax ${name})`,
  'remove-authority': (text, name) => `${text}: bulla trust remove ${name} --timestamping`,
  'remove-publisher': (text, name) => `${text}: bulla trust remove ${name}`,
  repair: thenOn('bulla normalize --repair BUNDLE -o NEW.ova'),
  'replace-output': instead('choose another name, or replace it with --force'),
  'replace-signature': instead('replace it with --force, or write a signed copy with -o NEW.ova'),
  'report-fault': instead(
    'report it with the command, the input if you can share it, and what BULLA_DEBUG=1 adds to this message',
  ),
  'request-timestamp': instead(
    'write the request for this bundle: bulla timestamp BUNDLE --tsq-out FILE; and have that answered',
  ),
  'see-settings': more('; bulla env shows what is configured'),
  'see-help': instead('see bulla --help, or bulla COMMAND --help'),
  'show-publisher': more(' (bulla trust show PUBLISHER)'),
  'show-scopes': instead(
    'compare with the scopes of the publisher (bulla trust show PUBLISHER); "_" stands for a descriptor that names no vendor',
  ),
  sign: thus('bulla sign BUNDLE -o SIGNED --key … --cert …'),
  'sign-afterwards': instead(
    'import it without --glance-properties, and sign the disk image afterwards: bulla glance sign',
  ),
  'sign-alone': instead(
    'it is signed as the file that it is, with a signature beside it; its publisher makes that with: bulla sign FILE --detached --key … --cert …; verify both with: bulla verify FILE --signature FILE.p7s',
  ),
  'sign-and-timestamp': thus('bulla sign BUNDLE -o SIGNED --key … --cert … --tsa URL'),
  'sign-detached': more(': bulla sign FILE --detached'),
  // [show.4] somebody else chose the name, and what is advised may be copied into a shell
  'sign-export': (text, name, typed) =>
    typed.isLoose
      ? `${text}, where it lies: ${withNames('bulla sign BUNDLE --key … --cert …', typed)}`
      : `${text}: unpack it, then bulla pack FOLDER/${isShownWhole(name) ? shellWord(name) : 'NAME.ovf'}${withNames(' -o NEW.ova --key … --cert …', typed)}`,
  'sign-image': thus('bulla glance sign'),
  'sign-image-again': thus('bulla glance sign IMAGE --key KEY --cert-uuid UUID'),
  'sign-or-plain': instead(
    'a bundle is changed as it is: bulla repack BUNDLE -o NEW.ova --set … --key … --cert …; or only signed again: bulla sign BUNDLE -o NEW.ova --key … --cert …; an archive as a file in a bundle: --plain',
  ),
  'sign-own': (text, _, typed) =>
    `${text}: ${withNames(typed.isLoose ? 'bulla sign BUNDLE --key … --cert …' : 'bulla sign BUNDLE -o NEW.ova --key … --cert …', typed.isInner ? {} : typed)}`,
  'sign-package-stamped': thus('bulla sign DIR --key … --cert … --tsa URL'),
  'sign-pss': (_, options) => `sign with bulla glance sign, or with openssl and ${options}`,
  'sign-unsigned-image': instead(
    'ask whoever made the image for its signature; one is made with: bulla glance sign IMAGE --key KEY --cert-uuid UUID',
  ),
  'sign-with-bulla': instead('have the tool write ASN.1 (DER) signatures, or sign with: bulla glance sign'),
  'sign-with-digest': (_, digest) =>
    `give --digest ${digest}, if that is one of sha256, sha384, sha512; else make another key`,
  'sign-without-cms': thus('--no-cms'),
  'split-instead': instead('leave out --chunk-size; a whole bundle is cut with: bulla split'),
  'store-again': thus('bulla glance store-certificate CERT.pem --barbican URL'),
  'store-authorities': (_, stored) =>
    `${stored}; store authorities for --trusted-certificate-ids each by itself`,
  'store-certificate': more(
    '; a certificate is stored, and its UUID printed, by: bulla glance store-certificate',
  ),
  'store-with-bulla': more(' with bulla glance store-certificate'),
  'signed-beside': (text, _, { bundle = 'FILE.p7s' }) =>
    `${text}: ${withNames('bulla verify FILE --signature BUNDLE', { bundle })}`,
  timestamp: thus('bulla timestamp'),
  'trust-authority': instead(
    'see the reason; the certificate of the timestamp authority is trusted with: bulla trust add NAME tsa-ca.pem --timestamping',
  ),
  'trust-certificate': more('; for a single certificate that you trust, give --trust as well'),
  'trust-issuer': instead(
    'ask the publisher to list it in the manifest, or to leave it out; a path ends at the certificate that you trust, so what is of an issuer above it counts only when you trust that issuer instead, whose certificate you have from a source of your own: --trust; what is of a timestamp authority counts when you trust that: --trust-tsa',
  ),
  'trust-its-authority': instead(
    'if you trust the authority of its timestamp, give its CA certificate: --trust-tsa tsa-ca.pem, or once and for all bulla trust add NAME tsa-ca.pem --timestamping; otherwise ask the publisher for a bundle that is signed anew',
  ),
  'trust-itself': instead(
    'trust the certificate itself, or that of its issuer, which you have from a source of your own, with --trust; a pin is for a key of which there are no revocation lists',
  ),
  'trust-or-complete': instead(
    `${CA}; if you trust that CA already, an intermediate is missing: give it with --untrusted FILE, or ask the publisher of a bundle to add it: bulla sign --chain`,
  ),
  'trust-publisher': instead(CA),
  'trust-somebody': instead(`${CA} (or once: --trust ca.pem)`),
  'trust-until-later': instead(
    'give an --until that is to come, or leave it out; if the clock of this machine is wrong, say what time it is with --at',
  ),
  'try-things-out': more('; for trying things out: bulla dev-certs DIR'),
  'verify-both': instead('see the differences; which of the two is right is told by: bulla verify'),
  'verify-file': thus('bulla verify FILE'),
  'verify-folder': (text, name, typed) => {
    const folder = isShownWhole(name) ? shellPath(name) : 'FOLDER';
    return `${text}: ${withTrust(`bulla verify ${folder}`, typed)}; ${withTrust(`bulla normalize ${folder}${withNames(' -o NEW.ova', typed)}`, typed)} makes a bundle of it`;
  },
  // [show.4] somebody else chose the name, and what is advised may be copied into a shell
  'verify-inner': (_, name, typed) =>
    `take what is inside: ${innerCommand(typed)}; or unpack it, then: ${withTrust(`bulla verify ${isShownWhole(name) ? shellPath(name) : 'NAME.ova'}`, typed)}`,
  'verify-strictly': instead('verify without --compat to be told more about the cause'),
  'wait-for-clean': instead('wait until it has ended (see bulla clean), then run again'),
  'what-is-kept': instead(
    'what has come is kept beside the destination: the same command goes on with it; another import into the same folder, or bulla clean, removes it',
  ),
  'write-again': instead(
    'unpack it where it comes from, and write it again with: bulla pack, or tar --format=ustar (Python: format=tarfile.USTAR_FORMAT); names of at most 100 bytes need no second one',
  ),
  'write-ustar': instead(
    'to get back what its publisher signed, unpack it, and write the same files in the same order as a plain tar: bsdtar -tf FILE > LIST; bsdtar -xf FILE; tar --format=ustar -cf NEW.ova -T LIST (GNU tar, gtar on macOS); then: bulla verify NEW.ova',
  ),
  'write-blocks': more(' (bulla pack --block-digests writes them)'),
  'write-sha1': instead('use --digest sha256; for importers as old as ESXi 6, add --sha1-for-old-importers'),
  'write-signature-again': instead(
    'sign with bulla glance sign, or set the property to what stands between the quotes; Glance refuses it as it is',
  ),
};

/** A sentence with the commands and options that do what it advises. [show.6] */
export function worded(told: Told, typed: Typed = {}): string {
  return isAdvised(told) ? WORDINGS[told.advice](told.text, told.of ?? '', typed) : plain(told);
}

/** What to do about an error. */
export function fixOf({ fix, advice }: Pick<ErrorReport, 'fix' | 'advice'>, typed: Typed = {}): string {
  return advice ? advice.map((told) => worded(told, typed)).join('; ') : fix;
}

/** A report in the words of the command line, to be printed; nothing is left in it that only a program needs. [show.6] */
export function wordedReport<Given extends Report>(given: Given, beside: TypedBeside = {}): Given {
  const { advice = [], ...report } = given;
  const typed = typedIn(given, beside);
  const wordings = new Map(advice.map((told) => [told.text, worded(told, typed)]));
  return {
    ...(report as Given),
    checks: report.checks.map(({ advice: told, ...check }) =>
      told ? { ...check, detail: worded(told, typed) } : check,
    ),
    errors: report.errors.map(({ advice: told, ...error }) => ({
      ...error,
      fix: fixOf({ fix: error.fix, ...(told !== undefined && { advice: told }) }, typed),
    })),
    warnings: report.warnings.map((text) => wordings.get(text) ?? text),
  };
}
