import { type Manifest, parseManifest } from '../../formats/ovf/manifest.ts';
import type { Limits } from '../../kit/limits.ts';

/** Parses the manifest that counts so far once, however often it is asked for: it may have many thousand lines. */
export class ManifestMemory {
  readonly #limits: Limits;
  #last: { readonly bytes: Uint8Array; readonly manifest?: Manifest; readonly error?: unknown } | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws {BundleError} what `parseManifest` throws; what cannot be read once cannot be read again */
  parse(bytes: Uint8Array): Manifest {
    if (this.#last?.bytes !== bytes) this.#last = { bytes, ...this.#attempt(bytes) };
    if (!this.#last.manifest) throw this.#last.error;
    return this.#last.manifest;
  }

  #attempt(bytes: Uint8Array): { readonly manifest?: Manifest; readonly error?: unknown } {
    try {
      return { manifest: parseManifest(bytes, this.#limits) };
    } catch (error) {
      return { error };
    }
  }
}
