import { spawn } from 'node:child_process';
import { type PluginCommand, readPluginFault } from '../../formats/keys/plugin-messages.ts';
import { checkAborted, concat } from '../../kit/bytes.ts';
import { counted, decodeUtf8, printable } from '../../kit/encoding.ts';
import { BundleError, textOf } from '../../kit/errors/errors.ts';

/** What an answer may have; signatures and certificates have some KiB. */
const ANSWER_BYTES = 1024 * 1024;
/** How long what a plugin has started may keep its output open, when it has ended itself. */
const LEFT_OPEN_MS = 1000;

/** A plugin, and how long it is waited for. */
export interface PluginProgram {
  readonly name: string;
  /** absolute */
  readonly file: string;
  /** milliseconds that one answer may take */
  readonly timeoutMs: number;
}

/**
 * Asks a plugin one thing: the command is its argument, JSON goes to its standard input and comes from its standard output. No shell is between.
 *
 * Whatever it has started in its own process group ends with it, when it has answered, when it has taken too long or said too much,
 * and when the signal fires.
 *
 * @throws {BundleError} `SIGNER_FAILED`, `REMOTE_UNAUTHORISED`, the reason of the signal [key.10]
 */
export async function askPlugin(
  program: PluginProgram,
  command: PluginCommand,
  request: object,
  signal?: AbortSignal,
): Promise<object> {
  checkAborted(signal);
  const ended = await runOnce(program, command, JSON.stringify(request), signal);
  checkAborted(signal);
  const where = { file: program.file };
  if (ended.stopped !== undefined) throw failed(program, ended.stopped);
  const fault = readPluginFault(objectIn(ended.stderr));
  if (ended.code !== 0) {
    if (fault?.code === 'ACCESS_DENIED') {
      throw new BundleError(
        'REMOTE_UNAUTHORISED',
        `the plugin "${program.name}" may not use the key: ${printable(fault.message)}`,
        {
          where,
          why: 'whoever keeps the key did not let the plugin sign',
          fix: 'sign in as the plugin wants it, or have the right to sign with this key given to you',
        },
      );
    }
    const said = fault ? `${fault.code}: ${fault.message}` : lastLine(ended.stderr);
    const how = ended.code === null ? 'was ended by a signal' : `ended with ${ended.code}`;
    throw failed(program, `${how} at ${command}${said === '' ? '' : `, and said: ${printable(said)}`}`);
  }
  const answer = objectIn(ended.stdout);
  if (answer) return answer;
  const what = ended.stdout.byteLength === 0 ? 'nothing' : 'something that is no JSON object';
  throw failed(program, `answered ${command} with ${what}`);
}

/** What is said of a plugin that does not do its part. [key.10] */
export function failed({ name, file }: PluginProgram, problem: string, cause?: unknown): BundleError {
  return new BundleError('SIGNER_FAILED', `the plugin "${name}" ${problem}`, { where: { file }, cause });
}

interface Ended {
  /** null for one that a signal has ended */
  readonly code: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** why it was not let run to its end */
  readonly stopped?: string;
}

function runOnce(
  { file, timeoutMs }: PluginProgram,
  command: PluginCommand,
  input: string,
  signal: AbortSignal | undefined,
): Promise<Ended> {
  return new Promise((resolve) => {
    // a process group of its own, so that all of it can be ended
    const child = spawn(file, [command], { stdio: 'pipe', detached: true, windowsHide: true });
    const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
    let stopped: string | undefined;
    let code: number | null = null;
    let leftOpen: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(late);
      clearTimeout(leftOpen);
      signal?.removeEventListener('abort', onAbort);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      const [stdout, stderr] = [concat(parts.stdout), concat(parts.stderr)];
      resolve({ code, stdout, stderr, ...(stopped !== undefined && { stopped }) });
    };
    const stop = (why: string): void => {
      stopped ??= why;
      endGroup(child.pid);
      finish();
    };
    const onAbort = (): void => stop('was interrupted');
    const late = setTimeout(
      () => stop(`gave no answer to ${command} within ${counted(timeoutMs / 1000, 'second')}`),
      timeoutMs,
    );
    signal?.addEventListener('abort', onAbort);
    for (const name of ['stdout', 'stderr'] as const) {
      let bytes = 0;
      child[name].on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes > ANSWER_BYTES) stop(`answered ${command} with more than ${ANSWER_BYTES} bytes`);
        else parts[name].push(chunk);
      });
      child[name].on('error', () => {});
    }
    child.stdin.on('error', () => {}); // it may not want to hear it all: its answer counts
    child.stdin.end(input);
    child.on('error', (error) => stop(`cannot be started: ${textOf(error)}`));
    child.on('exit', (status) => {
      code = status;
      endGroup(child.pid); // what it has left running, and its ends of the pipes with that
      leftOpen = setTimeout(finish, LEFT_OPEN_MS);
    });
    child.on('close', finish);
  });
}

/** Ends a process and all others of its group, those that it has started. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // none of it is there any more
  }
}

function objectIn(bytes: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes) ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Programs that fail say why at the end. */
function lastLine(bytes: Uint8Array): string {
  const lines = (decodeUtf8(bytes) ?? '').split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '')?.slice(0, 200) ?? '';
}
