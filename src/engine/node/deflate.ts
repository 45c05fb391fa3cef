import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import type { DeflateForm } from '../engine.ts';

/** zlib's, on this thread. */
export function deflate(bytes: Uint8Array, form: DeflateForm): Uint8Array {
  return deflateRawSync(bytes, optionsOf(form));
}

/** zlib's, on one of Node's threads. */
export function deflateAside(bytes: Uint8Array, form: DeflateForm): Promise<Uint8Array> {
  return new Promise<Uint8Array>((resolve, reject) => {
    const options = { ...optionsOf(form), chunkSize: Math.max(bytes.byteLength, constants.Z_MIN_CHUNK) };
    deflateRaw(bytes, options, (error, deflated) => (error ? reject(error) : resolve(deflated)));
  });
}

function optionsOf({ level, goesOn = false, dictionary }: DeflateForm): ZlibOptions {
  const finishFlush = goesOn ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
  return { level, finishFlush, ...(dictionary !== undefined && { dictionary }) };
}
