import type { Command } from 'commander';
import { hasText } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { AnsweredReport, SigningRequest } from '../../operations/sign/room/answer.ts';
import type { PreparedReport } from '../../operations/sign/room/prepare.ts';
import type { Context } from '../context.ts';
import { responseBeside } from '../named-files.ts';
import { expectSomebodyLooks, expectYes } from '../options/confirm.ts';
import { lookFirst } from '../options/first-look.ts';
import {
  type FORMATS,
  formatOf,
  inPlace,
  mtimeOf,
  type OutputFlags,
  progressOf,
} from '../options/options.ts';
import { showTyping } from '../options/passphrase.ts';
import { type PatienceFlags, readOptionsOf, waitingOf } from '../options/read-options.ts';
import { authorityOf, type SignFlags, signingFilesOf } from '../options/sign-options.ts';
import { field, shown } from '../render/field.ts';
import type { MadeReport } from '../render/render-made.ts';

/** The options of `sign` that belong to the signing room, and what goes with them. */
export interface RoomFlags extends SignFlags, PatienceFlags, OutputFlags {
  readonly prepare?: string;
  readonly answer?: string;
  readonly attach?: string;
  readonly output?: string;
  readonly format?: (typeof FORMATS)[number];
  readonly force?: boolean;
}

/** Adds what sends a manifest to where the key is, and brings its signature back. */
export function withRoomOptions(command: Command): Command {
  return command
    .option('--prepare <file>', 'write what must be signed into a request, to be answered where the key is')
    .option(
      '--answer <request>',
      'show what a request asks for, sign it, and write the response (default: response.json beside it)',
    )
    .option(
      '--attach <response>',
      'complete the bundle with the signature in a response: where it lies, or as -o',
    );
}

/** What does not go with each of them. */
const FOREIGN: Readonly<Record<'prepare' | 'answer' | 'attach', readonly string[]>> = {
  prepare: ['output', 'format', 'detached', 'key', 'chain', 'passphraseFile', 'tsa'],
  answer: ['format', 'detached', 'cms', 'digest', 'tsa'],
  attach: ['detached', 'cms', 'key', 'chain', 'passphraseFile'],
};

/** What goes with each, in words. */
const TAKES: Readonly<Record<keyof typeof FOREIGN, string>> = {
  prepare: '--cert of whoever is to sign, --digest, --cms and --force',
  answer: '--key, --cert, --chain, --passphrase-file, -o and --force',
  attach: '--cert of whoever must have signed, --digest, --tsa, -o, --format and --force',
};

/** The step of the signing room that a command line asks for; undefined for none. @throws {BundleError} `USAGE` for two, and for what does not go with one */
export function roomStep(command: Command): keyof typeof FOREIGN | undefined {
  const steps = (['prepare', 'answer', 'attach'] as const).filter((one) => isTyped(command, one));
  const [step, second] = steps;
  if (step === undefined) return undefined;
  if (second !== undefined)
    throw new BundleError('USAGE', `--${step} and --${second} are two steps`, {
      fix: 'take one after the other',
    });
  const foreign = FOREIGN[step].find((one) => isTyped(command, one));
  if (foreign === undefined) return step;
  const option = command.options.find((one) => one.attributeName() === foreign)?.long ?? foreign;
  throw new BundleError('USAGE', `--${step} takes no ${option}`, {
    why: 'it would have no effect on this step',
    fix: `leave it out; --${step} takes ${TAKES[step]}`,
  });
}

function isTyped(command: Command, flag: string): boolean {
  return command.getOptionValueSource(flag) === 'cli';
}

/** `bulla sign BUNDLE --prepare REQUEST` */
export async function prepare(input: string, flags: RoomFlags, context: Context): Promise<PreparedReport> {
  const { prepareSigning } = await import('../../operations/sign/room/prepare.ts');
  const { prepare: output = '', cert, cms, digest, force = false } = flags;
  const progress = progressOf(flags, context);
  try {
    return await prepareSigning(input, {
      output,
      digest,
      ...(cms !== undefined && { cms }),
      ...(hasText(cert) && { certificate: cert }),
      ...readOptionsOf(flags),
      overwrite: force,
      signal: context.signal,
      onProgress: progress.onProgress,
    });
  } finally {
    progress.end();
  }
}

/** `bulla sign --answer REQUEST --key K --cert C` */
export async function answer(command: Command, flags: RoomFlags, context: Context): Promise<AnsweredReport> {
  const { answerSigningRequest, readSigningRequest } = await import('../../operations/sign/room/answer.ts');
  const { answer: file = '', output = responseBeside(file), force = false } = flags;
  const files = signingFilesOf(flags, context);
  if (!files) {
    throw new BundleError('USAGE', 'an answer needs --key and --cert', {
      fix: 'give both, or configure them (bulla help configuration)',
    });
  }
  const waiting = waitingOf(flags, context);
  const { signal, deadlineMs } = waiting;
  const request = await readSigningRequest(file, waiting);
  await lookFirst(command, context);
  const isAsked = expectSomebodyLooks(context);
  if (isAsked || !flags.quiet)
    show(request, isAsked || flags.json || output === '-' ? context.tell : context.print);
  const { loadSigningIdentity } = await import('../../operations/sign/signing-identity.ts');
  const identity = await loadSigningIdentity(files, new Date(), waiting).finally(showTyping);
  // another signer than is asked for is refused anyway
  if (isAsked && (request.signer ?? identity.leaf.fingerprint) === identity.leaf.fingerprint)
    await expectYes(`sign this as ${shown(identity.leaf.fields.subject.text)}?`, context);
  return answerSigningRequest(request, {
    identity,
    output,
    overwrite: force,
    ...(signal !== undefined && { signal }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  });
}

/** The longest name that a bundle may have: nothing of what is signed is cut. */
const WHOLE = 4096;

/** What is only said, and then all that will be signed, so that this stands above the question. [room.3] */
function show(
  { name, bundle, manifest, digest, files, about }: SigningRequest,
  print: Context['print'],
): void {
  print(`${shown(name)}  asks for a signature`);
  print(field('only said', `bundle: ${bundle}`));
  for (const text of about) print(field('only said', text));
  const row = (label: string, signed: string, value: string): string =>
    `  ${label.padEnd(12)} ${shown(signed, WHOLE)}  ${value}`;
  for (const { name: file, algorithm, digest: hex } of files)
    print(row('signs', file, `${algorithm}:${hex}`));
  print(row('as manifest', manifest, digest));
}

/** `bulla sign BUNDLE --attach RESPONSE` */
export async function attach(
  input: string,
  flags: RoomFlags,
  { context, command }: { readonly context: Context; readonly command: Command },
): Promise<MadeReport> {
  const { attachSignature, readSigningResponse } = await import('../../operations/sign/room/attach.ts');
  const { packagePlace } = await import('../../storage/sources/open-bundle.ts');
  const { attach: file = '', output, cert, digest, tsa, force = false } = flags;
  if (output === undefined && flags.format !== undefined) {
    throw new BundleError('USAGE', '--format has no effect where the bundle is completed where it lies', {
      fix: 'leave it out: the container stays as it is; or give -o for a copy',
    });
  }
  if (output === undefined && packagePlace(input)) inPlace(flags.format);
  const response = await readSigningResponse(file, waitingOf(flags, context));
  const progress = progressOf(flags, context);
  try {
    return await attachSignature(input, response, {
      ...(output !== undefined && { output, format: formatOf(output, flags.format) }),
      mtime: mtimeOf(context),
      ...(hasText(cert) && { certificate: cert }),
      ...(isTyped(command, 'digest') && { digest }),
      ...(hasText(tsa) && { timestamp: await authorityOf(tsa, response.algorithm, context) }),
      ...readOptionsOf(flags),
      overwrite: force,
      signal: context.signal,
      onProgress: progress.onProgress,
    });
  } finally {
    progress.end();
  }
}
