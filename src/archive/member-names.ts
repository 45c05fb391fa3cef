import { memberNameKey } from '../formats/member-name.ts';
import { BundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';

/** What to do about an archive with too many members. */
export const MORE_MEMBERS = 'if the bundle is honest, say how many it may have: --max-members COUNT';

/** The names seen so far: unique, no file also a folder of another, however a file system folds them. */
export class MemberNames {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #limits: Limits;
  #entries = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#files.size;
  }

  /** [relax.3] Takes note of a folder that has an entry of its own; folders are counted as members are, apart from them. */
  addFolder(name: string, offset: number): void {
    this.#expectRoom(++this.#entries, { member: name, offset });
    const key = memberNameKey(name);
    if (this.#files.has(key)) throw collision(name, offset);
    for (const folder of foldersOf(`${key}/`)) {
      if (this.#files.has(folder)) throw collision(name, offset);
      this.#folders.add(folder);
    }
  }

  #expectRoom(count: number, where: { member: string; offset: number }): void {
    if (count <= this.#limits.members) return;
    throw new BundleError('ARCHIVE_LIMIT', `the archive has more than ${this.#limits.members} members`, {
      where,
      fix: MORE_MEMBERS,
    });
  }

  add(name: string, offset: number): void {
    this.#expectRoom(this.#files.size + 1, { member: name, offset });
    const key = memberNameKey(name);
    const folders = foldersOf(key);
    // [name.5] One name under two spellings, or a file that is also a folder, is two files to one reader and one to another.
    if (this.#files.has(key) || this.#folders.has(key) || folders.some((folder) => this.#files.has(folder))) {
      throw collision(name, offset);
    }
    this.#files.add(key);
    for (const folder of folders) this.#folders.add(folder);
  }
}

/** The folders above a name. */
function foldersOf(key: string): readonly string[] {
  if (!key.includes('/')) return [];
  const parts = key.split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

function collision(name: string, offset: number): BundleError {
  const message = `the name "${name}" stands twice in the archive, or collides with another`;
  return new BundleError('ARCHIVE_DUPLICATE', message, { where: { member: name, offset } });
}
