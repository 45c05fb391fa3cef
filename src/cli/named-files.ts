import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { BundleError } from '../kit/errors/errors.ts';
import { CERTIFICATE_NAMES, DESCRIPTOR_NAME, VOLUME_NAMES } from '../kit/read-names.ts';
import type { Reading } from '../storage/apart.ts';
import type { StandardOutput } from '../storage/redirected.ts';
import type { Context } from './context.ts';
import { filesOfKey } from './options/key-options.ts';
import { expectUtf8, type Words } from './words.ts';

/**
 * What an option's value or an argument names: a file that is read, a folder whose files of some names may be read instead,
 * something that is written, or neither.
 */
type Naming = 'read' | 'read certificates' | 'read volumes' | 'written' | 'no file';

/** Every option that takes a value, in whatever command. A test holds that none is missing. [out.1] */
export const OPTION_NAMINGS: Readonly<Record<string, Naming>> = {
  '--output': 'written',
  '--tsq-out': 'written',
  '--prepare': 'written',
  '--to': 'written',

  '--answer': 'read',
  '--attach': 'read',
  '--descriptor': 'read',
  '--key': 'read',
  '--cert': 'read',
  '--chain': 'read',
  '--passphrase-file': 'read',
  '--glance-key': 'read',
  '--glance-passphrase-file': 'read',
  '--signature': 'read',
  '--tsr-in': 'read',
  '--trust': 'read certificates',
  '--trust-tsa': 'read certificates',
  '--anchor': 'read certificates',
  '--untrusted': 'read certificates',
  '--certificates': 'read certificates',
  '--crl': 'read',
  '--ocsp': 'read',
  '--properties': 'read',
  '--os-cacert': 'read',

  '--as': 'no file',
  '--at': 'no file',
  '--barbican': 'no file',
  '--cert-uuid': 'no file',
  '--chunk-size': 'no file',
  '--controller': 'no file',
  '--cpus': 'no file',
  '--deadline': 'no file',
  '--digest': 'no file',
  '--expiration': 'no file',
  '--fingerprint': 'no file',
  '--firmware': 'no file',
  '--format': 'no file',
  '--from': 'no file',
  '--glance-hash': 'no file',
  '--glance-properties': 'no file',
  '--glance-sign': 'no file',
  '--hash': 'no file',
  '--idle-timeout': 'no file',
  '--jobs': 'no file',
  '--key-type': 'no file',
  '--max-depth': 'no file',
  '--max-members': 'no file',
  '--memory': 'no file',
  '--minimum-rate': 'no file',
  '--mode': 'no file',
  '--name': 'no file',
  '--network': 'no file',
  '--older-than': 'no file',
  '--order': 'no file',
  '--os': 'no file',
  '--os-auth-url': 'no file',
  '--owner': 'no file',
  '--pin': 'no file',
  '--policy': 'no file',
  '--product': 'no file',
  '--progress': 'no file',
  '--purpose': 'no file',
  '--relax': 'no file',
  '--revocation': 'no file',
  '--scope': 'no file',
  '--set': 'no file',
  '--size': 'no file',
  '--subject': 'no file',
  '--target': 'no file',
  '--timeout': 'no file',
  '--timestamp': 'no file',
  '--trusted-certificate-ids': 'no file',
  '--tsa': 'no file',
  '--until': 'no file',
  '--vendor': 'no file',
  '--version': 'no file',
};

/** Those whose value is a key, which may be in no file. [key.1] */
const KEYS: readonly string[] = ['--key', '--glance-key'];

/** Every argument, by command and name. */
export const ARGUMENT_NAMINGS: Readonly<Record<string, Naming>> = {
  'pack file': 'read',
  'sign bundle': 'read',
  'timestamp bundle': 'read',
  'verify bundle': 'read',
  'inspect bundle': 'read',
  'import bundle': 'read',
  'normalize bundle': 'read',
  'repack bundle': 'read',
  'diff a': 'read',
  'diff b': 'read',
  'split bundle': 'read',
  'join volume': 'read volumes',
  'clean dir': 'read',
  'trust add name': 'no file',
  'trust add ca.pem': 'read certificates',
  'trust show name': 'no file',
  'trust remove name': 'no file',
  'trust check leaf': 'read',
  'glance sign image': 'read',
  'glance verify image': 'read',
  'glance store-certificate certificate': 'read',
  'dev-certs dir': 'written',
  'help topic': 'no file',
  'completion shell': 'no file',
};

/** Variables that name a file which may be read. */
const VARIABLES = [
  'BULLA_KEY',
  'BULLA_CERT',
  'BULLA_CHAIN',
  'BULLA_PASSPHRASE_FILE',
  'OS_CACERT',
  'NODE_EXTRA_CA_CERTS',
];

/** The signature beside a file, where none is named; for what has no name here there is none. */
export function signatureBeside(input: string): string | undefined {
  return input === '-' || /^https?:/i.test(input) ? undefined : `${input}.p7s`;
}

/** The response beside a request, where none is named. */
export function responseBeside(request: string): string {
  return join(dirname(request), 'response.json');
}

/**
 * The standard streams that have been redirected to something that the words of a command line may name, or that may be read
 * besides, each with the path of that: as long as the line has not been understood, nothing may be written there. [out.1]
 */
export async function streamsNamed(
  { names: [, name], others }: Words,
  context: Context,
): Promise<ReadonlyMap<StandardOutput, string>> {
  let streams: readonly StandardOutput[] = [];
  try {
    const { streamsToFiles } = await import('../storage/redirected.ts');
    streams = streamsToFiles();
    if (streams.length === 0) return new Map();
    const { readStreams } = await import('../storage/apart.ts');
    const beside = name === 'pack' ? await readBesides(others, Number.MAX_SAFE_INTEGER) : [];
    const words = others.map((path) => ({ path, takes: ANY_FOLDER }));
    return readStreams(streams, [...words, ...beside, ...unnamedReadings(context)]);
  } catch {
    return new Map(streams.map((stream) => [stream, '?'])); // too few descriptors, say: what cannot be compared is let alone
  }
}

/** Help and version that would be written to what the command names. [out.1] */
export function sentToNamed(named: ReadonlyMap<StandardOutput, string>): BundleError {
  return writesTo(named, 'which the command names');
}

function writesTo(read: ReadonlyMap<StandardOutput, string>, what: string): BundleError {
  const [[stream, path] = [1, '']] = read;
  const name = stream === 1 ? 'standard output' : 'standard error';
  const message = `the output would be written to "${path}", ${what}: ${name} has been sent there`;
  return new BundleError('USAGE', message, {
    where: { file: name },
    why: 'what a command reads it never writes to, and every command prints',
    fix: `send ${name} elsewhere`,
  });
}

/**
 * Refuses a command that would write to what it reads, before anything is done; every command writes to standard
 * output and standard error. [out.1]
 *
 * @throws {BundleError} `USAGE`
 */
export async function expectNothingReadIsWritten(command: Command, context: Context): Promise<void> {
  const { reads, written } = namesOf(command, context);
  const unnamed = unnamedReadings(context);
  expectUtf8([...written, ...[...reads, ...unnamed].map(({ path }) => path)]);
  const { streamsToFiles } = await import('../storage/redirected.ts');
  const streams = streamsToFiles();
  if (written.length === 0 && streams.length === 0) return;
  const { maxMembers }: { readonly maxMembers?: number } = command.opts();
  const besides =
    streams.length > 0 && pathOf(command) === 'pack' ? await readBesides(command.args, maxMembers) : [];
  const { expectApart, readStreams } = await import('../storage/apart.ts');
  const all = [...reads, ...besides, ...unnamed];
  const read = readStreams(streams, all);
  if (read.size > 0) throw writesTo(read, 'which is read');
  expectApart(written, all);
}

/** What the words of a command name: what is read, and what is written. */
export function namesOf(
  command: Command,
  context: Context,
): {
  readonly reads: readonly Reading[];
  readonly written: readonly string[];
} {
  const named = [...optionsOf(command, context), ...argumentsOf(command)];
  const written = named.flatMap(({ naming, values }) => (naming === 'written' ? values : []));
  const [input = ''] = command.args;
  const { detached, answer } = command.opts();
  const beside =
    written.length > 0 ? undefined : detached ? signatureBeside(input) : answer && responseBeside(answer);
  const takes = { 'read certificates': CERTIFICATE_NAMES, 'read volumes': VOLUME_NAMES, read: NONE };
  const reads = named.flatMap(({ naming, values }) =>
    naming === 'written' || naming === 'no file'
      ? []
      : values.map((path) => ({ path, takes: takes[naming] })),
  );
  return { reads, written: beside === undefined ? written : [...written, beside] };
}

/** What is read and no word names: the files of a descriptor, and the descriptor of a folder, which `pack` itself holds apart from its output. */
async function readBesides(words: readonly string[], maxMembers?: number): Promise<readonly Reading[]> {
  const { isFolder } = await import('../storage/beside.ts');
  const descriptors = words.filter((path) => DESCRIPTOR_NAME.test(path) || isFolder(path));
  if (descriptors.length === 0) return [];
  const { filesBeside } = await import('../operations/pack/pack-plan.ts');
  const beside = await Promise.all(descriptors.map((path) => filesBeside(path, maxMembers)));
  return beside.flat().map((path) => ({ path, takes: NONE }));
}

/** What is read, or may be, whatever the words say. */
function unnamedReadings(context: Context): readonly Reading[] {
  return [
    ...VARIABLES.flatMap((name) => context.env[name] || [])
      .flatMap((name) => filesOfKey(name, context))
      .map((path) => ({ path, takes: NONE })),
    ...context.trustFolders.map((path) => ({ path })),
  ];
}

/** Of a folder that is named where a file should be, nothing is read. */
const NONE = /^(?!)/;
const ANY_FOLDER = new RegExp(`${CERTIFICATE_NAMES.source}|${VOLUME_NAMES.source}`, 'is');

interface Named {
  readonly naming: Naming;
  readonly values: readonly string[];
}

function optionsOf(command: Command, context: Context): readonly Named[] {
  return command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (!option.required || value === undefined) return [];
    const long = option.long ?? option.flags;
    const texts = textsIn(value);
    const values = KEYS.includes(long) ? texts.flatMap((name) => filesOfKey(name, context)) : texts;
    return [{ naming: namingOf(OPTION_NAMINGS, long), values }];
  });
}

function argumentsOf(command: Command): readonly Named[] {
  return command.registeredArguments.map((argument, i) => ({
    naming: namingOf(ARGUMENT_NAMINGS, `${pathOf(command)} ${argument.name()}`),
    values: argument.variadic ? command.args.slice(i) : command.args.slice(i, i + 1),
  }));
}

/** The words of a command, such as `trust add`. */
export function pathOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}

function namingOf(namings: Readonly<Record<string, Naming>>, name: string): Naming {
  return namings[name] ?? 'read'; // what is compared needlessly does no harm
}

function textsIn(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((one) => typeof one === 'string');
}
