import { memberNameKey } from '../formats/member-name.ts';
import { BundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';

/** The names seen so far: unique, no file also a folder of another, however a file system folds them. */
export class MemberNames {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#files.size;
  }

  add(name: string, offset: number): void {
    if (this.#files.size >= this.#limits.members) {
      throw new BundleError('ARCHIVE_LIMIT', `the archive has more than ${this.#limits.members} members`, {
        where: { member: name, offset },
      });
    }
    const parts = memberNameKey(name).split('/');
    const key = parts.join('/');
    const folders = parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
    // [name.5] One name under two spellings, or a file that is also a folder, is two files to one reader and one to another.
    if (this.#files.has(key) || this.#folders.has(key) || folders.some((folder) => this.#files.has(folder))) {
      throw new BundleError(
        'ARCHIVE_DUPLICATE',
        `the name "${name}" stands twice in the archive, or collides with another`,
        {
          where: { member: name, offset },
        },
      );
    }
    this.#files.add(key);
    for (const folder of folders) this.#folders.add(folder);
  }
}
