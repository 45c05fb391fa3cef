import { memberNameKey } from '../formats/member-name.ts';
import { MORE_MEMBERS } from '../kit/errors/archive-errors.ts';
import { BundleError } from '../kit/errors/errors.ts';
import type { Limits } from '../kit/limits.ts';
import type { SecondNames } from './second-name.ts';

/**
 * The names seen so far: unique, no file also a folder of another, however a file system folds them, and to every reader.
 */
export class MemberNames {
  /** whole names and those that are cut in a header */
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  /** what only some readers take for a file: several may have one such name, no member may */
  readonly #shadows = new Set<string>();
  readonly #limits: Limits;
  #count = 0;
  #entries = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /** Takes note of a member, by its name and by those that other readers may have for it. */
  add(name: string, offset?: number, second: SecondNames = {}): void {
    const where = { member: name, ...(offset !== undefined && { offset }) };
    this.#expectRoom(++this.#count, where);
    this.#addFile(name, where);
    if (second.cut !== undefined) this.#addFile(second.cut, where); // [name.7]
    if (second.bare !== undefined) this.#addShadow(second.bare, where); // [name.8]
  }

  /** [relax.3] Takes note of a folder that has an entry of its own; folders are counted as members are, apart from them. */
  addFolder(name: string, offset: number, second: SecondNames = {}): void {
    const where = { member: name, offset };
    this.#expectRoom(++this.#entries, where);
    for (const folder of [name, second.cut, second.bare]) {
      if (folder === undefined) continue;
      const key = memberNameKey(folder);
      if (this.#isFile(key)) throw collision(where);
      this.#addFolders(`${key}/`, where);
    }
  }

  /** [name.9] Takes note of a pax header, by the name that it has to readers that take it for a file. */
  addHeader(name: string, offset: number): void {
    this.#addShadow(name, { member: name, offset });
  }

  #addFile(name: string, where: Place): void {
    const key = memberNameKey(name);
    // [name.5] One name under two spellings, or a file that is also a folder, is two files to one reader and one to another.
    if (this.#isFile(key) || this.#folders.has(key)) throw collision(where);
    this.#addFolders(key, where);
    this.#files.add(key);
  }

  #addShadow(name: string, where: Place): void {
    const key = memberNameKey(name);
    if (this.#shadows.has(key)) return;
    if (this.#files.has(key) || this.#folders.has(key)) throw collision(where);
    this.#addFolders(key, where);
    this.#shadows.add(key);
  }

  #isFile(key: string): boolean {
    return this.#files.has(key) || this.#shadows.has(key);
  }

  #addFolders(key: string, where: Place): void {
    if (!key.includes('/')) return;
    for (const folder of foldersOf(key)) {
      if (this.#isFile(folder)) throw collision(where);
      this.#folders.add(folder);
    }
  }

  #expectRoom(count: number, where: Place): void {
    if (count <= this.#limits.members) return;
    throw new BundleError('ARCHIVE_LIMIT', `the archive has more than ${this.#limits.members} members`, {
      where,
      fix: MORE_MEMBERS,
    });
  }
}

/** The member that a name is of, and where it is in the archive. */
interface Place {
  readonly member: string;
  readonly offset?: number;
}

/** The folders above a name. */
function foldersOf(key: string): readonly string[] {
  const parts = key.split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

function collision(where: Place): BundleError {
  const message = `the name "${where.member}" stands twice in the archive, or collides with another`;
  return new BundleError('ARCHIVE_DUPLICATE', message, { where });
}
