import type { ByteStream } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Source, SourceOptions } from '../../kit/source.ts';
import { showAddress } from '../remote/address.ts';
import { openFileSource } from './file-source.ts';
import { openHttpsSource } from './https-source.ts';
import { openStdin } from './standard-input.ts';
import { streamSource } from './stream-source.ts';

/** What a bundle may be read from: a path, `-` for standard input, an https address, or bytes that arrive in order. */
export type BundleInput = string | ByteStream;

/**
 * Opens what the caller named; nothing is read yet.
 *
 * @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `USAGE`, `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`
 */
export async function openSource(input: BundleInput, options: SourceOptions): Promise<Source> {
  if (typeof input !== 'string') return streamSource(input, options);
  if (input === '-') return openStdin(options);
  if (/^https:\/\//i.test(input)) return openHttpsSource(input, options);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(input)) {
    throw new BundleError('USAGE', 'only https:// addresses are fetched', {
      where: { file: showAddress(input) },
      fix: {
        text: 'use https:// if the server has it; or fetch it with another tool and pipe it',
        advice: 'pipe-fetched',
      },
    });
  }
  return openFileSource(input, options);
}
