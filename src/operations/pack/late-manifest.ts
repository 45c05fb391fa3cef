import { LateMembers } from '../../archive/tar/late-members.ts';
import type { TarFile } from '../../archive/tar/tar-writer.ts';
import type { Output } from '../../storage/output/output.ts';
import type { NamedMember } from '../../verdict/walk/member.ts';
import type { SigningIdentity } from '../sign/signing.ts';

/** Signatures made to learn how long one is, where their lengths differ, and signatures made until one has that length. */
const DRAFTS = 9;
const TRIES = 200;

/** Manifest and signature that stand in a tar before the files, and are made when those have been read: room is left, and filled. [pack.3] */
export class LateManifest {
  readonly #parts: (manifest: Uint8Array) => Promise<readonly NamedMember[]>;
  readonly #drafts: number;
  readonly #late = new LateMembers();

  /** @param parts makes the manifest and what signs it, as members */
  constructor(
    parts: (manifest: Uint8Array) => Promise<readonly NamedMember[]>,
    identity: SigningIdentity | undefined,
  ) {
    this.#parts = parts;
    this.#drafts = isOfAnyLength(identity) ? DRAFTS : 1;
  }

  /** Room for manifest and signature of the length that they most likely have: a manifest is as long with any digests. */
  async reserve(draft: Uint8Array): Promise<readonly TarFile[]> {
    const drafts: (readonly NamedMember[])[] = [];
    for (let i = 0; i < this.#drafts; i++) drafts.push(await this.#parts(draft));
    drafts.sort((a, b) => bytesOf(a) - bytesOf(b));
    const likely = drafts[drafts.length >> 1] ?? [];
    return likely.map(({ name, bytes }) => this.reserveBeside(name, bytes.byteLength));
  }

  /** Room for a member whose size is known. */
  reserveBeside(name: string, size: number): TarFile {
    return this.#late.reserve(name, size);
  }

  /** Fills the room that was left, when the archive stands. False when no signature fits, and nothing has been filled. */
  async complete(
    manifest: Uint8Array,
    beside: readonly NamedMember[],
    output: Pick<Output, 'patch'>,
  ): Promise<boolean> {
    for (let tries = 0; tries < TRIES; tries++) {
      const parts = await this.#parts(manifest);
      if (!parts.every(({ name, bytes }) => this.#late.fits(name, bytes))) continue;
      for (const { name, bytes } of [...parts, ...beside]) this.#late.fill(name, bytes);
      await this.#late.write(output);
      return true;
    }
    return false;
  }
}

/** Whether signatures may be made for their length alone: not by the dozen where each is asked of a device or a service. [key.7] */
export function mayDraft(identity: SigningIdentity | undefined): boolean {
  return identity?.signer.name === undefined || !isOfAnyLength(identity);
}

/** ECDSA and DSA in DER have no fixed length. */
function isOfAnyLength(identity: SigningIdentity | undefined): boolean {
  const type = identity?.signer.publicKey.key.type;
  return type === 'ec' || type === 'dsa';
}

function bytesOf(members: readonly NamedMember[]): number {
  return members.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}
