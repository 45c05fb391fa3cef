import { type Command, Option } from 'commander';
import { expectNoUse } from '../../kit/shape.ts';
import type { TrustFiles } from '../../operations/verify/load-trust.ts';
import type { VerifyOptions } from '../../operations/verify/options.ts';
import type { Allowances } from '../../trust/policy.ts';
import type { RevocationMode, TimestampMode } from '../../trust/publisher.ts';
import type { Context } from '../context.ts';
import { gather, parseTime } from './options.ts';

/** Options that let pass what is weaker than it should be. */
export interface StrengthFlags {
  readonly allowSha1?: boolean;
  readonly allowWeakKeys?: boolean;
}

/** Options of the commands that judge a bundle. */
export interface TrustFlags extends StrengthFlags {
  readonly trust?: readonly string[];
  readonly pin?: readonly string[];
  readonly untrusted?: readonly string[];
  readonly trustTsa?: readonly string[];
  readonly at?: Date;
  readonly crl?: readonly string[];
  readonly ocsp?: readonly string[];
  readonly revocation?: RevocationMode;
  readonly timestamp?: TimestampMode;
  readonly remember?: boolean;
  readonly allowUnsigned?: boolean;
  readonly allowUnlistedDescriptor?: boolean;
}

/** Adds what decides about trust: anchors, pins, time, and the allowances that each name what they give up. */
export function withTrustOptions(command: Command): Command {
  withAnchorOptions(command).option(
    '--trust-tsa <pem>',
    'believe timestamps of these authorities (one or more files or folders of certificates), and of no others',
    gather,
  );
  withRememberOption(withEvidenceOptions(command))
    .addOption(
      new Option(
        '--timestamp <mode>',
        'whether a timestamp must prove, or may, when the signature was made (default: what the publisher asks for, else prefer)',
      ).choices(['require', 'prefer', 'ignore']),
    )
    .option('--allow-unsigned', 'accept a bundle without a signature: anyone may have made it');
  return withStrengthOptions(command, 'SHA-1 digests and signatures').option(
    '--allow-unlisted-descriptor',
    'accept a descriptor that the manifest does not list: anyone may have changed it',
  );
}

/** Adds `--allow-sha1` and `--allow-weak-keys`; `sha1` says what is of SHA-1 where the command looks. */
export function withStrengthOptions(command: Command, sha1: string): Command {
  return withWeakKeysOption(command.option('--allow-sha1', `accept ${sha1}: forged ones can be bought`));
}

/** Adds `--allow-weak-keys`. */
export function withWeakKeysOption(command: Command): Command {
  return command.option(
    '--allow-weak-keys',
    'accept RSA and DSA keys of 1024 to 2047 bits, and ML-DSA-44: they can be broken',
  );
}

/** What the flags let pass. */
export function strengthOf(flags: StrengthFlags): Pick<Allowances, 'sha1' | 'weakKeys'> {
  return { sha1: flags.allowSha1 ?? false, weakKeys: flags.allowWeakKeys ?? false };
}

/** Adds `--trust` and `--pin`: whom to believe, and no one else; and `--untrusted`: what may lead there. */
export function withAnchorOptions(command: Command): Command {
  return withTrustOption(
    command,
    'trust these CAs or signers (one or more files or folders of certificates), and no one else',
  )
    .option(
      '--pin <sha256>',
      'trust the signer with this public key ("key" in the output), or the signer or CA whose certificate has this fingerprint, and no one else; one or more',
      gather,
    )
    .option(
      '--untrusted <pem>',
      'one or more files of certificates that may lead from the signer to whom you trust, and are not trusted themselves',
      gather,
    );
}

/** Adds `--trust`, and `--anchor`, which is the same and which help does not list by itself. [cli.25] */
export function withTrustOption(command: Command, description: string): Command {
  const alias = new Option('--anchor <pem>', 'the same as --trust').argParser(gather).hideHelp();
  return command
    .option('--trust <pem>', `${description} (--anchor is the same)`, gather)
    .addOption(alias)
    .on('option:anchor', (pem: string) =>
      command.setOptionValue('trust', gather(pem, command.getOptionValue('trust'))),
    );
}

/** Adds `--at`, `--crl`, `--ocsp` and `--revocation`: when, and by what, certificates are judged. */
export function withEvidenceOptions(command: Command): Command {
  return command
    .option('--at <time>', 'judge certificates at this time (ISO 8601) instead of now', parseTime)
    .option('--crl <file>', 'one or more certificate revocation lists (PEM or DER) to judge by', gather)
    .option('--ocsp <file>', 'one or more OCSP responses (DER) to judge by', gather)
    .addOption(
      new Option(
        '--revocation <mode>',
        'whether it must be shown that no certificate is revoked (default: what the publisher asks for, else if-present)',
      ).choices(['require', 'if-present', 'off']),
    );
}

/** [rev.15] As the library does, by the names that were typed. @throws {BundleError} `USAGE` */
export function expectEvidenceUsed(flags: {
  readonly revocation?: RevocationMode | undefined;
  readonly crl?: readonly string[];
  readonly ocsp?: readonly string[];
}): void {
  if (flags.revocation !== 'off') return;
  expectNoUse(flags.crl, '--crl', 'beside --revocation off');
  expectNoUse(flags.ocsp, '--ocsp', 'beside --revocation off');
}

/** Adds `--no-remember`. */
export function withRememberOption(command: Command): Command {
  return command.option(
    '--no-remember',
    'write down nothing; otherwise your trust folder keeps which revocation lists were seen, so that older ones do not pass for current',
  );
}

/** The options of `verify` from the flags. */
export function verifyOptionsOf(flags: TrustFlags, context: Context): VerifyOptions {
  expectEvidenceUsed(flags);
  if (flags.timestamp === 'ignore') expectNoUse(flags.trustTsa, '--trust-tsa', 'beside --timestamp ignore');
  const trust: TrustFiles = {
    anchors: flags.trust ?? [],
    pins: flags.pin ?? [],
    timestampAnchors: flags.trustTsa ?? [],
    untrusted: flags.untrusted ?? [],
    folders: context.trustFolders,
  };
  return {
    trust,
    revocation: {
      crls: flags.crl ?? [],
      ocsps: flags.ocsp ?? [],
      ...(flags.revocation !== undefined && { mode: flags.revocation }),
    },
    remember: flags.remember ?? true,
    ...(flags.timestamp !== undefined && { timestamp: flags.timestamp }),
    ...(flags.at !== undefined && { at: flags.at }),
    allow: {
      ...strengthOf(flags),
      unsigned: flags.allowUnsigned ?? false,
      unlistedDescriptor: flags.allowUnlistedDescriptor ?? false,
    },
    signal: context.signal,
  };
}
