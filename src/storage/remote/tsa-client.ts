import { checkAborted } from '../../kit/bytes.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { basicOf, showAddress } from './address.ts';
import { type Fail, type HttpAnswer, openHttp, readWhole } from './http-client.ts';

/** How long an authority may take, and when to give up for other reasons. */
export interface TsaOptions {
  /** from the first byte out to the last one in */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;
/** A token has some KiB; certificates and revocation lists may be inside. */
const REPLY_BYTES = 1024 * 1024;
const QUERY_TYPE = 'application/timestamp-query';
const REPLY_TYPE = 'application/timestamp-reply';

/**
 * Asks a timestamp authority over http or https (RFC 3161 section 3.4) and gives its reply, unread.
 *
 * The transport proves nothing, and need not: the reply is signed. Redirects are not followed.
 *
 * @throws {BundleError} `USAGE`, `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`, `INTERRUPTED` [tst.11]
 */
export async function requestTimestamp(
  url: string,
  query: Uint8Array,
  { timeoutMs = TIMEOUT_MS, signal }: TsaOptions = {},
): Promise<Uint8Array> {
  const where = { file: showAddress(url) };
  const target = parseAddress(url, where);
  const deadline = AbortSignal.timeout(timeoutMs);
  const stop = signal ? AbortSignal.any([deadline, signal]) : deadline;
  const fail: Fail = (problem, cause) => failed(`the timestamp authority ${problem}`, where, cause);
  const headers = { 'content-type': QUERY_TYPE, accept: REPLY_TYPE, ...basicOf(target) };
  try {
    checkAborted(signal);
    const question = { method: 'POST', url: target, headers, body: query, signal: stop } as const;
    const answer = await openHttp().ask(question, fail);
    expectReply(answer, where);
    return await readWhole(answer, REPLY_BYTES, fail);
  } catch (error) {
    checkAborted(signal);
    if (!deadline.aborted) throw error;
    throw fail(`cannot be asked: no answer within ${counted(timeoutMs / 1000, 'second')}`, error);
  }
}

function parseAddress(url: string, where: { file: string }): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target?.protocol === 'http:' || target?.protocol === 'https:') return target;
  throw new BundleError('USAGE', 'this is no http or https address', {
    where,
    fix: 'give it as the authority publishes it, such as http://tsa.example/tsr',
  });
}

function expectReply({ status, header, close }: HttpAnswer, where: { file: string }): void {
  const type = header('content-type')?.split(';')[0]?.trim().toLowerCase();
  const problem =
    status >= 300 && status <= 399
      ? 'sends us elsewhere, which is not followed'
      : status !== 200
        ? `answers ${status}`
        : type !== REPLY_TYPE && `answers with ${shown(type)} instead of ${REPLY_TYPE}`;
  if (!problem) return;
  close();
  const code = status === 401 || status === 403 ? 'REMOTE_UNAUTHORISED' : 'REMOTE_FAILED';
  throw new BundleError(code, `the timestamp authority ${problem}`, {
    where,
    why: 'the signature is to have a timestamp, so nothing was written without one',
    fix: 'check the address of the authority, and whether it wants you to sign in',
  });
}

/** What a server calls its answer, if that is a type. */
function shown(type: string | undefined): string {
  return type !== undefined && /^[\w.+-]{1,40}\/[\w.+-]{1,60}$/.test(type) ? type : 'no type';
}

function failed(message: string, where: { file: string }, cause?: unknown): BundleError {
  return new BundleError('REMOTE_FAILED', message, {
    where,
    why: 'the signature is to have a timestamp, so nothing was written without one',
    fix: {
      text: 'check the address and the network, and run again; or ask on another machine',
      advice: 'ask-elsewhere',
    },
    cause,
  });
}
