import { type BundleError, isBundleError } from '../../kit/errors/errors.ts';

/** What was odd about an archive that was taken apart all the same. */
export interface Repair {
  /** the member that it is about, where it is about one */
  readonly member?: string;
  /** what the archive as it came has there */
  readonly what: string;
  /** where it was met, bytes of the unpacked archive; of the compressed one for what is odd about the compression */
  readonly offset?: number;
}

/** Takes note of what was odd, each thing once. [repair.3] */
export class Repairs {
  readonly #made = new Map<string, Repair>();

  /** Those that were needed, in the order in which they were met. */
  get made(): readonly Repair[] {
    return [...this.#made.values()];
  }

  add(repair: Repair): void {
    const key = `${repair.member ?? ''}\n${repair.what}`;
    if (!this.#made.has(key)) this.#made.set(key, repair);
  }

  /** What the strict reader refuses it for. */
  addRefusal({ message, where }: BundleError, place: Omit<Repair, 'what'> = {}): void {
    const { member, offset } = { ...where, ...place };
    this.add({
      ...(member !== undefined && { member }),
      what: message,
      ...(offset !== undefined && { offset }),
    });
  }

  /** Does what the strict reader does, and takes note of what it refuses; undefined then. */
  strictly<T>(check: () => T, place: Omit<Repair, 'what'> = {}): T | undefined {
    try {
      return check();
    } catch (error) {
      if (!isBundleError(error)) throw error;
      this.addRefusal(error, place);
      return undefined;
    }
  }
}
