import { type Command, InvalidArgumentError, Option } from 'commander';
import { BundleError } from '../kit/errors.ts';
import type { TrustOptions } from '../operations/load-trust.ts';
import type { PackFormat } from '../operations/pack.ts';
import type { SigningDigest, SigningFiles } from '../operations/signing-identity.ts';
import type { VerifyOptions } from '../operations/verify.ts';
import type { Context } from './context.ts';
import { passphraseSource } from './passphrase.ts';
import { createProgress, type ProgressMode } from './progress.ts';

const DAY_MS = 86_400_000;

/** Options of every command that works on a bundle. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly progress: ProgressMode;
}

/** Adds `--json`, `--quiet` and `--progress`. */
export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on standard output, whatever happens')
    .option('-q, --quiet', 'print nothing but refusals')
    .addOption(
      new Option('--progress <how>', 'progress on standard error: auto, json (a line a second) or none')
        .choices(['auto', 'json', 'none'])
        .default('auto'),
    );
}

/** Progress as the flags want it. */
export function progressOf(flags: OutputFlags, context: Context): ReturnType<typeof createProgress> {
  return createProgress(flags.quiet ? 'none' : flags.progress, context);
}

/** Options of the commands that judge a bundle. */
export interface TrustFlags {
  readonly trust?: readonly string[];
  readonly pin?: readonly string[];
  readonly at?: Date;
  readonly allowUnsigned?: boolean;
  readonly allowSha1?: boolean;
  readonly allowWeakKeys?: boolean;
  readonly allowUnlistedDescriptor?: boolean;
}

/** Adds what decides about trust: anchors, pins, time, and the allowances that each name what they give up. */
export function withTrustOptions(command: Command): Command {
  return command
    .option(
      '--trust <pem>',
      'trust this CA or signer (PEM file or folder), and no one else; repeatable',
      gather,
    )
    .option(
      '--pin <sha256:hex>',
      'trust the signer with this public key ("key" in the output), and no one else; repeatable',
      gather,
    )
    .option('--at <time>', 'judge certificates at this time (ISO 8601) instead of now', parseTime)
    .option('--allow-unsigned', 'accept a bundle without a signature: anyone may have made it')
    .option('--allow-sha1', 'accept SHA-1 digests and signatures: forged ones can be bought')
    .option('--allow-weak-keys', 'accept RSA keys of 1024 to 2047 bits: they can be broken')
    .option(
      '--allow-unlisted-descriptor',
      'accept a descriptor that the manifest does not list: anyone may have changed it',
    );
}

/** The options of `verify` from the flags. */
export function verifyOptionsOf(flags: TrustFlags, context: Context): VerifyOptions {
  const trust: TrustOptions = {
    anchors: flags.trust ?? [],
    pins: flags.pin ?? [],
    folders: context.trustFolders,
  };
  return {
    trust,
    ...(flags.at ? { at: flags.at } : {}),
    allow: {
      unsigned: flags.allowUnsigned ?? false,
      sha1: flags.allowSha1 ?? false,
      weakKeys: flags.allowWeakKeys ?? false,
      unlistedDescriptor: flags.allowUnlistedDescriptor ?? false,
    },
    signal: context.signal,
  };
}

/** Options of the commands that sign. */
export interface SignFlags {
  readonly key?: string;
  readonly cert?: string;
  readonly chain?: string;
  readonly passphraseFile?: string;
  readonly digest: SigningDigest;
}

/** Adds key, certificate, chain, passphrase file and digest. */
export function withSignOptions(command: Command): Command {
  return command
    .option('--key <pem>', 'private key of the signer')
    .option('--cert <pem>', "the signer's certificate")
    .option('--chain <pem>', 'intermediate certificates to put beside it')
    .option('--passphrase-file <file>', 'first line is the passphrase of the key [BULLA_PASSPHRASE_FILE]')
    .addOption(
      new Option('--digest <name>', 'digest of manifest and signature')
        .choices(['sha256', 'sha384', 'sha512'])
        .default('sha256'),
    );
}

/** The signer's files, or undefined when none are named. @throws {BundleError} `USAGE` when only one of the two is */
export function signingFilesOf(flags: SignFlags, context: Context): SigningFiles | undefined {
  const { key, cert, chain } = flags;
  if (key && cert) {
    const passphrase = passphraseSource(context, flags.passphraseFile, key);
    return { key, certificate: cert, ...(chain ? { chain } : {}), passphrase };
  }
  if (!key && !cert && !chain) return undefined;
  const problem = key ? '--key needs --cert' : cert ? '--cert needs --key' : '--chain needs --key and --cert';
  throw new BundleError('USAGE', problem, {
    fix: 'give both; for trying things out: bulla dev-certs DIR',
  });
}

/** The container from `--format` or the file's extension; tar for standard output. @throws {BundleError} `USAGE` */
export function formatOf(output: string, format: string | undefined): PackFormat {
  if (format === 'tar' || format === 'ova') return 'tar';
  if (format === 'tgz') return 'tgz';
  if (output === '-' || /\.(ova|tar)$/i.test(output)) return 'tar';
  if (/\.(tgz|tar\.gz)$/i.test(output)) return 'tgz';
  throw new BundleError('USAGE', `the extension of "${output}" does not say which format to write`, {
    fix: 'end the name in .ova, .tar, .tgz or .tar.gz, or give --format ova|tar|tgz',
  });
}

/** SOURCE_DATE_EPOCH, else 0. @throws {BundleError} `USAGE` */
export function mtimeOf(context: Context): number {
  const text = context.env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return 0;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new BundleError('USAGE', `SOURCE_DATE_EPOCH is "${text}", which is no count of seconds`, {
    fix: 'set it to seconds since 1970, or unset it',
  });
}

/** Collects a repeatable option. */
export function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** A moment in ISO 8601: a date, or a date and time with its offset. */
export function parseTime(text: string): Date {
  const form = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;
  const date = form.exec(text)?.[1];
  const time = new Date(date === undefined ? Number.NaN : text);
  if (!Number.isNaN(time.getTime()) && isOnCalendar(date ?? '')) return time;
  throw new InvalidArgumentError(
    'Give a date (2026-11-21) or a time with its offset (2026-11-21T12:00:00Z).',
  );
}

/** The last moment of a date, or a moment. */
export function parseEnd(text: string): Date {
  const time = parseTime(text);
  return text.includes('T') ? time : new Date(time.getTime() + DAY_MS - 1);
}

/** False for 31 February, which Date takes for 3 March. */
function isOnCalendar(date: string): boolean {
  const day = new Date(date);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
}

/** A count of at least one. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of at least 1.');
}
