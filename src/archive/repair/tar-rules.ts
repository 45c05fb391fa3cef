import type { TarHeader } from '../../formats/tar/header.ts';
import type { Limits } from '../../kit/limits.ts';
import { fileNames, headerFile } from '../entry-names.ts';
import { MemberNames } from '../member-names.ts';
import { Relaxed } from '../relaxed.ts';
import { LeftOut } from '../tar/left-out.ts';
import type { Repairs } from './repairs.ts';

/** What the strict reader asks of names and headers over a whole archive, asked of one that is taken apart: what it would refuse is taken note of. [repair.3] */
export class TarRules {
  readonly leftOut = new LeftOut();
  /** blocks that were read as headers */
  headers = 0;
  readonly #names: MemberNames;
  readonly #rules: { readonly limits: Limits; readonly relaxed: Relaxed };
  readonly #repairs: Repairs;

  constructor(limits: Limits, repairs: Repairs) {
    this.#names = new MemberNames({ ...limits, members: Number.MAX_SAFE_INTEGER });
    this.#rules = { limits, relaxed: new Relaxed(['dot-prefix']) };
    this.#repairs = repairs;
  }

  /** A member: what else readers may call it. */
  addFile(
    header: TarHeader,
    beside: string | undefined,
    place: { readonly member: string; readonly offset: number },
  ): void {
    this.#repairs.strictly(() => {
      const { name, second } = fileNames(header, beside, this.#rules);
      this.#names.add(name, place.offset, second);
    }, place);
  }

  /** A header that speaks about others, by the name that it has to whoever takes it for a file. */
  addHeader(header: TarHeader, offset: number): void {
    this.#repairs.strictly(
      () => {
        const own = headerFile(header, this.#rules);
        if (own !== undefined) this.#names.addHeader(own, offset);
      },
      { offset },
    );
  }
}
