import type { Command } from 'commander';
import { BundleError } from '../../../kit/errors/errors.ts';
import type { Context, Exit } from '../../context.ts';
import { EXIT_MEANINGS } from '../../exit-meanings.ts';
import { shown } from '../../render/field.ts';
import { wrapText } from '../../render/wrap.ts';
import { CODES, helpOnCode } from './help-codes.ts';
import { helpHits, similarTo } from './help-search.ts';

/** How wide a topic is where there is no terminal. */
const MOST_COLUMNS = 120;

/** How wide the names are that a word was found under. */
const HIT_COLUMNS = 26;

/** How many of them are shown. */
const MOST_HITS = 12;

const TOPICS: Readonly<Record<string, () => readonly string[]>> = {
  'exit-codes': () => [
    'Exit codes (also "exitCode" in --json):',
    ...EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`),
    'When several apply, the first of 15 11 12 16 17 13 14 18 10 20 is used; --json lists all.',
    'Of several bundles that are verified, the first of 1 2 3 4 5 that is there comes before those.',
  ],
  environment: () => [
    'Environment:',
    '  BULLA_HOME             trust folder (default: $XDG_CONFIG_HOME/bulla, or ~/.config/bulla)',
    '  BULLA_KEY, BULLA_CERT, BULLA_CHAIN, BULLA_TSA',
    '                         stand for --key, --cert, --chain and --tsa; see bulla help configuration',
    '  BULLA_PASSPHRASE_FILE  file whose first line is the passphrase of the private key',
    '  OS_AUTH_URL, OS_TOKEN, OS_USERNAME, OS_PASSWORD, OS_APPLICATION_CREDENTIAL_ID, OS_CACERT, …',
    '                         who you are at Keystone and Barbican, as in an openrc file (bulla glance)',
    '  SOURCE_DATE_EPOCH      modification time of packed members, seconds since 1970 (default: 0)',
    '  NODE_EXTRA_CA_CERTS    PEM file of CAs to accept for https besides those of node',
    '  NO_COLOR, FORCE_COLOR  never, or always, use colour',
    '  LC_ALL, LC_CTYPE, LANG marks are plain ASCII unless one of them names UTF-8',
    '  BULLA_DEBUG            print the stack of an internal error',
    'The publishers in /etc/bulla overrule those of the same name in the trust folder.',
  ],
  configuration: () => [
    'Who signs, where the command line names nobody (pack, sign, repack; the authority: timestamp, too). The first counts:',
    '  1. the option             --key, --cert, --chain, --passphrase-file, --tsa',
    '  2. the environment        BULLA_KEY, BULLA_CERT, BULLA_CHAIN, BULLA_PASSPHRASE_FILE, BULLA_TSA; one that is there and empty says: none',
    '  3. your own settings      ~/.config/bulla/config.toml ($BULLA_HOME, $XDG_CONFIG_HOME/bulla)',
    "  4. the machine's settings /etc/bulla/config.toml",
    'A config.toml has some of these lines, and no others. Relative names are seen from its folder:',
    '  key = "acme.key"',
    '  cert = "acme.pem"',
    '  chain = "intermediates.pem"',
    '  passphrase-file = "acme.passphrase"',
    '  tsa = "http://tsa.example"',
    'A certificate is taken from where the key is named, or nearer to the command line; intermediates from where the certificate is, or nearer; a passphrase file from where the key is.',
    'A PKCS#12 file as key (.p12, .pfx) needs no certificate beside it. What was taken from where is printed, and is "defaults" in --json.',
    'Nothing of this decides whom you trust, and nothing weakens a check: that is for bulla trust, and for options that say what they give up.',
    'bulla env shows what is configured here, and whether it can be used.',
  ],
  keys: () => [
    'Where the private key of --key is, by the form of its name:',
    '  acme.key, signer.p12   a file: PEM or DER (PKCS#8 plain or encrypted, PKCS#1, SEC1); PKCS#12 has its certificates with it',
    '  plugin:NAME/KEYID      a key of a plugin, such as one for a cloud KMS; KEYID is its own word for the key',
    'A file whose name begins so is ./plugin:…',
    'Plugins speak the contract 1.0 of Notary (notation), so that existing ones work. They are looked for as',
    '  ~/.config/bulla/plugins/NAME/bulla-NAME         ($BULLA_HOME, $XDG_CONFIG_HOME/bulla)',
    '  ~/.config/notation/plugins/NAME/notation-NAME   ($XDG_CONFIG_HOME/notation)',
    'A plugin gives the certificates of its key; --cert overrules them, and must be of the same key.',
    'A bundle is signed by RSA with PKCS#1 v1.5, which that contract does not have: with RSA it takes a plugin that lists the',
    'capability SIGNATURE_GENERATOR.RAW.RSA-PKCS1 (spec/signatures.md says what that is asked); with P-256, P-384 or P-521 any will do.',
    'P-384 takes --digest sha384, P-521 sha512. sign --detached makes RSA-PSS signatures with the others.',
    'Every signature is verified with its certificate before it is written.',
  ],
  formats: () => [
    'Bundles that are read and written:',
    '  .ova .tar        tar (ustar): descriptor, manifest, certificate file, then the files',
    '  .tgz .tar.gz     the same, compressed by gzip',
    '  .zip             the same members; read from a pipe by way of a private file',
    'Manifest (.mf): SHA256(name)= hex; also SHA384 and SHA512; SHA1 only with --allow-sha1.',
    'Certificate file (.cert): the signature of the manifest, X.509 certificates in PEM, and a CMS signature.',
    'Timestamp (.tst, or inside the CMS signature): RFC 3161. Revocation: revocation/*.crl and *.ocsp.',
    'Signature of any file (.p7s): CMS, detached, DER or PEM.',
    'Disk images made into an appliance: qcow2, VMDK, VHD, VHDX, raw; ISO as a CD-ROM.',
    'Keys: PEM or DER (PKCS#8 plain or encrypted, PKCS#1, SEC1), PKCS#12 (.p12, .pfx) with its certificates; RSA, ECDSA, Ed25519.',
  ],
};

/** What `bulla help` can be asked about. */
export function helpTopics(program: Command): readonly string[] {
  return [...Object.keys(TOPICS), ...program.commands.map((command) => command.name())];
}

/** No word of the help is longer. */
const LONGEST_ASKED = 200;

/** `bulla help [COMMAND | exit-codes | configuration | environment | keys | formats]` */
export function helpCommand(program: Command, context: Context, _exit: Exit): void {
  program
    .command('help')
    .description(
      'Shows the help of a command or a topic, what a code says, or which commands, options and topics speak of a word.',
    )
    .summary('help for a command, a code, a word, or: exit-codes, configuration, environment, keys, formats')
    .argument(
      '[topic...]',
      'a command, exit-codes, configuration, environment, keys or formats, a code such as KEY_WEAK or 14, or any words',
    )
    .action((topic: readonly string[]) => {
      const asked = topic.join(' ');
      const lines = Object.hasOwn(TOPICS, asked) ? TOPICS[asked] : undefined;
      if (lines) {
        for (const line of lines()) context.print(wrapText(line, context.columns ?? MOST_COLUMNS));
        return;
      }
      let command = program;
      for (const [at, word] of topic.entries()) {
        const next = command.commands.find((candidate) => candidate.name() === word);
        if (next === undefined) return tellHits(topic, at, command);
        command = next;
      }
      command.outputHelp();
    });

  /** What a code says, or what speaks of words that are neither a topic nor a command, from the one at `at` on. @throws {BundleError} `USAGE` */
  function tellHits(words: readonly string[], at: number, command: Command): void {
    const asked = words.join(' ').slice(0, LONGEST_ASKED);
    const columns = context.columns ?? MOST_COLUMNS;
    const code = helpOnCode(asked);
    for (const row of code) context.print(wrapText(row, columns));
    if (code.length > 0) return;
    const hits = helpHits(asked.split(/\s+/).filter(Boolean), program, TOPICS);
    if (hits.length > 0) {
      context.print(wrapText(`What speaks of "${shown(asked)}" (more: bulla help COMMAND):`, columns));
      for (const [name, text] of hits.slice(0, MOST_HITS))
        context.print(wrapText(`  ${name.padEnd(HIT_COLUMNS)}  ${text}`, columns));
      const more = hits.length - MOST_HITS;
      if (more > 0)
        context.print(wrapText(`and ${more} more; a command or another word beside it finds fewer`, columns));
      return;
    }
    const others = command === program ? helpTopics(program) : command.commands.map((sub) => sub.name());
    const similar = similarTo(words[at] ?? '', command === program ? [...others, ...CODES] : others);
    const known =
      others.length > 0
        ? `try one of: ${others.join(', ')}`
        : `see ${['bulla', ...words.slice(0, at)].join(' ')} --help`;
    throw new BundleError('USAGE', `there is no help on "${asked}"`, {
      fix: similar === undefined ? known : `did you mean ${similar}? otherwise ${known}`,
    });
  }
}
