import type { ArchiveEntry } from '../../archive/entry.ts';
import { type TarFile, wholeFile } from '../../archive/tar/tar-writer.ts';
import { digestHex } from '../../crypto/digest.ts';
import { isEvidence, rolePartOf } from '../../formats/bundle-part.ts';
import { draftManifest, formatManifest, type Manifest, parseManifest } from '../../formats/ovf/manifest.ts';
import { DIGEST_BYTES, type DigestName } from '../../kit/digest-name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { Output } from '../../storage/output/output.ts';
import { assignRoles, type BundleRoles } from '../../verdict/walk/bundle-roles.ts';
import type { KeptMember, Member, NamedMember } from '../../verdict/walk/member.ts';
import type { Walk } from '../../verdict/walk/walk.ts';
import { LateManifest, mayDraft } from '../pack/late-manifest.ts';
import type { SigningIdentity } from '../sign/signing.ts';

/** What becomes of a bundle that is packed and signed anew. */
export interface RepackPlan {
  /** the descriptor that takes the place of this one; the same when nothing is changed */
  descriptor(old: NamedMember): Uint8Array;
  /** the digest in place of one of the old manifest */
  algorithm(old: DigestName): DigestName;
  /** the manifest and what signs it, as members */
  parts(manifest: Uint8Array, base: string): Promise<readonly NamedMember[]>;
  /** judges all that has been read. @throws the first thing that speaks against it */
  judgeOriginal(members: readonly Member[]): void;
  /** judges what is made of it. @throws the first thing that an importer would say */
  judgeNew(roles: BundleRoles, members: readonly Member[]): void;
  readonly identity: SigningIdentity;
  /** whether what is written cannot be taken back: nothing is signed then before all has been judged */
  readonly isStream: boolean;
  /** whether a file can be written again where room was left, and the length of what signs is known */
  readonly canLeaveRoom: boolean;
  /** the digests to compute before the manifest has been seen */
  readonly hint: readonly DigestName[];
  readonly limits: Limits;
}

/**
 * The members of the old bundle as they become those of the new one: each file goes by once. The manifest stands before the files where all its
 * digests are known by then, or room can be left for it, and behind them otherwise, and always in a stream. [repack.5]
 */
export class Repacking {
  readonly #plan: RepackPlan;
  #manifest: Manifest | undefined;
  #roles: BundleRoles = {};
  #descriptor: NamedMember | undefined;
  readonly #kept = new Map<string, Uint8Array>();
  /** what may sign the old bundle, or speak for who did */
  readonly #held: KeptMember[] = [];
  #made: readonly NamedMember[] = [];
  #room: LateManifest | undefined;
  /** the members that spoke of the old signature, and are not in the new bundle */
  #left: readonly string[] = [];

  constructor(plan: RepackPlan) {
    this.#plan = plan;
  }

  async *files(walk: Walk): AsyncGenerator<TarFile, void> {
    const first: KeptMember[] = [];
    let begun = false;
    for await (const entry of walk.entries) {
      const kept = await walk.keep(entry);
      if (kept && !begun) {
        first.push(kept);
        continue;
      }
      if (!begun) yield* this.#begin(first);
      begun = true;
      if (kept) yield* this.#placed(kept);
      else yield { name: entry.name, size: entry.size, body: this.#passed(walk, entry) };
    }
    if (!begun) yield* this.#begin(first);
    yield* this.#end(walk.members);
  }

  /** What spoke of the old signature, and was not made anew. */
  get lost(): readonly string[] {
    const made = new Set(this.#made.map(({ name }) => name));
    return this.#left.filter((name) => !made.has(name));
  }

  /** Fills the room that was left, when the archive stands. */
  async complete(output: Pick<Output, 'patch'>): Promise<void> {
    if (!this.#room) return;
    const [manifest] = this.#made;
    if (manifest && (await this.#room.complete(manifest.bytes, [], output))) return;
    throw new BundleError('INTERNAL', 'no signature had the length that was expected');
  }

  /** The descriptor, and where they are known or may come later, manifest and signature; then what else stands before the first file. */
  async *#begin(members: readonly KeptMember[]): AsyncGenerator<TarFile, void> {
    this.#lookAt(members);
    const isDescriptor = ({ name }: KeptMember): boolean => name === this.#roles.descriptor;
    for (const member of members.filter(isDescriptor)) yield* this.#placed(member);
    for (const { name, bytes } of members) if (name !== this.#descriptor?.name) this.#kept.set(name, bytes);
    yield* await this.#partsAhead();
    for (const member of members.filter((one) => !isDescriptor(one))) yield* this.#placed(member);
  }

  /** What they are by what has come so far; what is wrong with them is told when all has been read. */
  #lookAt(members: readonly KeptMember[]): void {
    try {
      this.#roles = assignRoles(members.map(({ name }) => name));
      const manifest = members.find(({ name }) => name === this.#roles.manifest);
      if (manifest) this.#manifest = parseManifest(manifest.bytes, this.#plan.limits);
    } catch {
      this.#roles = {};
    }
  }

  async #partsAhead(): Promise<readonly TarFile[]> {
    const { base } = this.#roles;
    if (this.#plan.isStream || !this.#manifest || base === undefined) return [];
    const entries = this.#entries([]);
    if (entries.every(({ digest }) => digest !== undefined)) {
      const lines = entries.map((line) => ({ ...line, digest: line.digest ?? '' }));
      this.#made = await this.#plan.parts(formatManifest(lines), base);
      return this.#made.map(({ name, bytes }) => wholeFile(name, bytes));
    }
    const { canLeaveRoom, identity } = this.#plan;
    if (!canLeaveRoom || !mayDraft(identity) || this.#isDescriptorToCome()) return [];
    this.#room = new LateManifest((manifest) => this.#plan.parts(manifest, base), identity);
    return this.#room.reserve(draftManifest(entries.map(zeroed)));
  }

  /** Whether it would get a line of its own, or another name to all of them. */
  #isDescriptorToCome(): boolean {
    return (
      this.#roles.descriptor === undefined &&
      this.#manifest?.entries.some(({ name }) => isDescriptor(name)) === true
    );
  }

  /** What stands in the new bundle in place of a small member. */
  *#placed(member: KeptMember): Generator<TarFile, void> {
    const { name, bytes } = member;
    if (isDescriptor(name) && (this.#roles.descriptor ?? name) === name) {
      this.#descriptor = { name, bytes: this.#plan.descriptor({ name, bytes }) };
      yield wholeFile(name, this.#descriptor.bytes);
      return;
    }
    const isListed = this.#manifest?.byName.has(name) === true;
    if (!isListed && (rolePartOf(name) !== undefined || isEvidence(name))) {
      this.#held.push(member);
      return;
    }
    this.#kept.set(name, bytes);
    yield wholeFile(name, bytes);
  }

  async *#passed(walk: Walk, entry: ArchiveEntry): AsyncGenerator<Uint8Array, void> {
    const listed = this.#manifest?.byName.get(entry.name);
    const old = listed ? [listed.algorithm] : this.#plan.hint;
    const algorithms = new Set([...old, ...old.map((one) => this.#plan.algorithm(one))]);
    yield* walk.pass(entry, [...algorithms]);
  }

  /** All has been read: it is judged, and what could not be written yet follows. */
  async *#end(members: readonly Member[]): AsyncGenerator<TarFile, void> {
    this.#plan.judgeOriginal(members);
    const roles = assignRoles(members.map(({ name }) => name));
    expectSame(roles, this.#roles);
    const sidecars = roles.sidecars?.map(({ name }) => name) ?? [];
    const parts = [roles.manifest, roles.certificate, roles.timestamp, ...sidecars];
    const manifest = members.find(({ name }) => name === roles.manifest);
    if (manifest?.kind === 'kept') this.#manifest ??= parseManifest(manifest.bytes, this.#plan.limits);
    const isListed = ({ name }: KeptMember): boolean => this.#manifest?.byName.has(name) === true;
    const files = this.#held.filter((member) => isListed(member) && !parts.includes(member.name));
    for (const { name, bytes } of files) {
      this.#kept.set(name, bytes);
      yield wholeFile(name, bytes);
    }
    const left = this.#held.filter((member) => !files.includes(member) && member.name !== roles.manifest);
    this.#left = left.map(({ name }) => name);
    const isAhead = this.#made.length > 0;
    if (!isAhead) {
      const lines = this.#entries(members).map((line) => ({ ...line, digest: line.digest ?? '' }));
      this.#made = await this.#plan.parts(formatManifest(lines), roles.base ?? '');
    }
    const gone = new Set([...this.#left, ...parts]);
    const made = [
      ...members.filter(({ name }) => !gone.has(name)).map((member) => this.#asNew(member)),
      ...this.#made.map(asMember),
    ];
    this.#plan.judgeNew(assignRoles(made.map(({ name }) => name)), made);
    if (!isAhead && !this.#room) yield* this.#made.map(({ name, bytes }) => wholeFile(name, bytes));
  }

  #asNew(member: Member): Member {
    const descriptor = this.#descriptor;
    if (member.kind !== 'kept' || member.name !== descriptor?.name) return member;
    return { ...member, bytes: descriptor.bytes, size: descriptor.bytes.byteLength };
  }

  /** The lines of the new manifest, as far as they are known. The digest that a file had in the old one stands until it is found to be another. */
  #entries(members: readonly Member[]): readonly {
    readonly name: string;
    readonly algorithm: DigestName;
    readonly digest: string | undefined;
  }[] {
    const { entries = [] } = this.#manifest ?? {};
    const descriptor = this.#descriptor;
    const hashed = new Map(
      members.flatMap((one) => (one.kind === 'hashed' ? [[one.name, one.digests]] : [])),
    );
    const isListed = entries.some(({ name }) => name === descriptor?.name);
    const own =
      descriptor && !isListed
        ? [{ name: descriptor.name, algorithm: 'sha256' as const, digest: undefined }]
        : [];
    return [...own, ...entries].map(({ name, algorithm: old, digest }) => {
      const algorithm = this.#plan.algorithm(old);
      const bytes = name === descriptor?.name ? descriptor.bytes : this.#kept.get(name);
      if (bytes) return { name, algorithm, digest: digestHex(algorithm, bytes) };
      const isSame = algorithm === old && !(isDescriptor(name) && this.#roles.descriptor === undefined);
      return { name, algorithm, digest: isSame ? digest : hashed.get(name)?.[algorithm] };
    });
  }
}

function isDescriptor(name: string): boolean {
  return rolePartOf(name)?.kind === 'ovf';
}

function zeroed<Line extends { readonly algorithm: DigestName }>(
  line: Line,
): Line & { readonly digest: string } {
  return { ...line, digest: '0'.repeat(2 * DIGEST_BYTES[line.algorithm]) };
}

function asMember({ name, bytes }: NamedMember): KeptMember {
  return { kind: 'kept', name, bytes, size: bytes.byteLength, dataOffset: 0 };
}

/** @throws {BundleError} `PACKAGE_AMBIGUOUS` where what came first was taken for another part than it is */
function expectSame(roles: BundleRoles, first: BundleRoles): void {
  for (const part of ['descriptor', 'manifest'] as const) {
    const taken = first[part];
    if (taken === undefined || taken === roles[part]) continue;
    const message = `"${taken}" came first and was taken for the ${part} of the bundle, and "${roles[part]}" is that`;
    throw new BundleError('PACKAGE_AMBIGUOUS', message, {
      where: { member: taken },
      fix: 'have the members in the usual order first: descriptor, manifest, certificate file, then the files',
    });
  }
}
