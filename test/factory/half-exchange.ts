import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Exchanged, keptName, writePlan } from '../../src/storage/output/exchange.ts';
import { MarkedFolder } from '../../src/storage/unfinished/marked-folder.ts';
import type { Sandbox } from './sandbox.ts';

const PURPOSE = { kind: 'volumes', base: '.web' } as const;
export const MEDIA = ['a', 'b'] as const;

/** An exchange that was ended in the middle. */
interface Half {
  /** where the volumes go; each folder has two */
  readonly sandbox: Sandbox;
  readonly works: readonly MarkedFolder[];
}

/** Four volumes that take the place of older ones, two on each medium, of which so many stand; the run was killed then. */
export function half(sandbox: Sandbox, standing: number, { leave = true } = {}): Half {
  for (const medium of MEDIA) mkdirSync(sandbox.path(medium));
  const works = MEDIA.map((medium) => MarkedFolder.make(sandbox.path(medium), PURPOSE));
  const files = [1, 2, 3, 4].map((volume) => {
    const at = works[volume > 2 ? 1 : 0]?.path ?? '';
    const waiting = `volume-${volume}`;
    writeFileSync(join(at, waiting), `new ${volume}`);
    const { ino, size, mtimeNs } = statSync(join(at, waiting), { bigint: true });
    const target = join(at, '..', `web.00${volume}`);
    writeFileSync(target, `old ${volume}`);
    return { target, waiting, at, ino, size: Number(size), mtimeNs };
  });
  for (const { path } of works)
    writePlan(
      path,
      files.map(({ at, ...file }): Exchanged => ({ ...file, elsewhere: at === path ? undefined : at })),
    );
  for (const { target, waiting, at } of files.slice(0, standing)) {
    renameSync(target, join(at, keptName(waiting)));
    renameSync(join(at, waiting), target);
  }
  for (const work of works) {
    if (leave) work.leave();
    work.rest();
  }
  return { sandbox, works };
}
