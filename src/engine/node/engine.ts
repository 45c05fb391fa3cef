import { createHash, getCurves, hash } from 'node:crypto';
import { constants, crc32, createInflateRaw } from 'node:zlib';
import { CHUNK_BYTES } from '../../kit/limits.ts';
import type { Engine } from '../engine.ts';
import { deflate, deflateAside } from './deflate.ts';
import { isSameKey } from './public-key.ts';
import { readCertificate } from './read-certificate.ts';
import { openRsa, openVerifying, verify } from './verify.ts';

/**
 * An inflater makes one chunk, then waits until that is taken: so it is one chunk ahead of the reader and never more, and
 * what the reader sees before an error does not depend on which of the two threads was faster.
 */
const INFLATE = { chunkSize: CHUNK_BYTES, readableHighWaterMark: 1, finishFlush: constants.Z_FINISH };

/** OpenSSL and zlib, as Node has them. */
export const engine: Engine = {
  openHash: (algorithm) => createHash(algorithm, algorithm === 'shake256' ? { outputLength: 64 } : {}),
  hashHex: (algorithm, bytes) => hash(algorithm, bytes, 'hex'),
  isSameKey,
  verify,
  openVerifying,
  openRsa,
  readCertificate,
  hasCurve: (curve) => getCurves().includes(curve),
  crc32: (bytes, before) => crc32(bytes, before),
  openInflater: () => createInflateRaw(INFLATE),
  deflate,
  deflateAside,
};
