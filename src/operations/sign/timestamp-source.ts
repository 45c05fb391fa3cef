import { digestBytes } from '../../crypto/digest.ts';
import { unguessable } from '../../engine/node/random.ts';
import { formatTimestampRequest, parseTimestampRequest } from '../../formats/tsp/request.ts';
import { expectToken, parseTimestampResponse } from '../../formats/tsp/response.ts';
import type { TimestampToken } from '../../formats/tsp/token.ts';
import { equalBytes } from '../../kit/bytes.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { bytes } from '../../kit/given-bytes.ts';
import { abortSignal, moment as momentRule, needed, path, shape } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import { showAddress } from '../../storage/remote/address.ts';
import { requestTimestamp } from '../../storage/remote/tsa-client.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { expectSound } from '../../verdict/signers/sound-token.ts';
import { signingDigest } from '../option-rules.ts';
import type { SigningDigest, TimestampSource } from './signing.ts';

const NONCE_BYTES = 8;

/** How an authority is asked. */
export interface AuthorityOptions {
  /** over which the timestamp is to be */
  readonly digest: SigningDigest;
  /** the moment that the reply is judged at */
  readonly at: Date;
  readonly signal?: AbortSignal;
}

/** A timestamp authority at an http or https address. [pack.9] */
export function authorityAt(url: string, options: AuthorityOptions): TimestampSource {
  path(url, 'url');
  return authorityGiven(url, authorityOptions(options, ''));
}

const authorityOptions = shape<AuthorityOptions>({
  digest: needed(signingDigest),
  at: needed(momentRule),
  signal: abortSignal,
});

function authorityGiven(url: string, options: AuthorityOptions): TimestampSource {
  return async (given) => {
    const over = bytes(given, 'what the timestamp is to be over');
    const request = {
      digest: options.digest,
      imprint: digestBytes(options.digest, over),
      nonce: unguessable(NONCE_BYTES),
    };
    const { signal } = options;
    const file = showAddress(url);
    const reply = await requestTimestamp(url, formatTimestampRequest(request), signal ? { signal } : {});
    try {
      const token = parseTimestampResponse(reply);
      expectToken(token, request);
      return expectSound(token, over, options.at);
    } catch (error) {
      const fault = toBundleError(error);
      if (fault.code !== 'TIMESTAMP_MALFORMED') throw fault.at({ file });
      // not the bundle is malformed but what somebody sent
      const message = `the timestamp authority gave something that cannot be read: ${fault.message}`;
      throw new BundleError('TIMESTAMP_REFUSED', message, { where: { file }, cause: fault });
    }
  };
}

/** The reply of an authority in a file, for a machine that has no network; the request had no nonce. [pack.10] */
export function replyIn(file: string, at: Date): TimestampSource {
  path(file, 'file');
  const moment = momentRule(at, 'at');
  const source = async (given: Uint8Array): Promise<Uint8Array> => {
    const over = bytes(given, 'what the timestamp is over');
    const token = parseReply(await readSmallFile(file, sourceOptions({})), file); // who asks waits no longer than is meant [stream.6]
    const { digest, value } = token.info.imprint;
    if (digest === undefined)
      throw new BundleError('TIMESTAMP_REFUSED', 'the timestamp is over a digest that is not known');
    if (!equalBytes(digestBytes(digest, over), value)) {
      throw new BundleError('TIMESTAMP_REFUSED', 'the reply is for another signature', {
        where: { file },
        why: 'a timestamp is over one signature, and signing again makes another',
        fix: {
          text: 'write the request for this bundle, and have that answered',
          advice: 'request-timestamp',
        },
      });
    }
    return expectSound(token, over, moment);
  };
  return Object.assign(source, { files: [file] });
}

function parseReply(bytes: Uint8Array, file: string): TimestampToken {
  try {
    return parseTimestampResponse(bytes);
  } catch (error) {
    const { code, message } = toBundleError(error);
    if (code !== 'TIMESTAMP_MALFORMED') throw toBundleError(error).at({ file });
    throw new BundleError(code, isRequest(bytes) ? 'this is the request, not the reply to it' : message, {
      where: { file },
      fix: {
        text: 'have an authority answer the request, and give its reply: a .tsr file, in DER',
        advice: 'answer-request',
      },
      cause: error,
    });
  }
}

function isRequest(bytes: Uint8Array): boolean {
  try {
    return parseTimestampRequest(bytes) !== undefined;
  } catch {
    return false;
  }
}

/** The request that `replyIn` takes the reply to. [pack.10] */
export function requestFor(over: Uint8Array, digest: SigningDigest): Uint8Array {
  return formatTimestampRequest({ digest, imprint: digestBytes(digest, over) });
}
