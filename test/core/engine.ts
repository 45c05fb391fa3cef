import type { Engine } from '../../src/engine/engine.ts';

/** An engine that computes nothing: what the core reaches compiles and bundles with it, and so needs nothing else of a platform. */
export const engine: Engine = {
  openHash: none,
  hashHex: none,
  isSameKey: none,
  verify: none,
  openVerifying: none,
  openRsa: none,
  readCertificate: none,
  hasCurve: none,
  crc32: none,
  openInflater: none,
  deflate: none,
  deflateAside: none,
};

function none(): never {
  throw new Error('this engine computes nothing');
}
