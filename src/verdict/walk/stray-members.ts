import type { Advised, Told } from '../../kit/errors/advice.ts';
import type { ErrorDetails } from '../../kit/errors/errors.ts';

const UNPACK: Advised = { text: 'unpack it, and pack what the descriptor names', advice: 'pack-described' };

/** [repair.7] */
const LEFT_OUT: Advised = {
  text: 'have the bundle written again without it, which is done only when what was signed holds',
  advice: 'repair',
};

/** Members that tools add unasked: how they are named, who writes them, and how they are left out. [relax.7] */
const HABITS: readonly {
  readonly name: RegExp;
  readonly why: string;
  readonly fix: Told | readonly Told[];
  readonly own?: Told;
}[] = [
  {
    name: /(^|\/)\._[^/]+$/,
    why: 'tar of macOS writes such a file ("AppleDouble") beside each one that has extended attributes; nothing vouches for it',
    fix: [
      LEFT_OUT,
      {
        text: 'or ask the publisher to pack with COPYFILE_DISABLE=1 tar -cf …, or with bulla',
        advice: 'pack',
      },
    ],
    own: { text: 'pack with COPYFILE_DISABLE=1 tar -cf …, or with bulla', advice: 'pack' },
  },
  {
    name: /(^|\/)\.DS_Store$/,
    why: 'the Finder of macOS leaves such a file in every folder that it has shown; nothing vouches for it',
    fix: [LEFT_OUT, 'or ask the publisher to remove it (find . -name .DS_Store -delete), and to pack again'],
    own: 'remove it (find . -name .DS_Store -delete), and pack again',
  },
  {
    name: /(^|\/)(PaxHeaders?(\.\d+)?\/|@PaxHeader$)/,
    why: 'a program that does not know pax headers has unpacked one as a file, and it was packed again; nothing vouches for it',
    fix: { ...UNPACK, text: `remove it. ${UNPACK.text}` },
  },
  {
    name: /^pad$/,
    why: 'oVirt fills up its exports with a member named "pad"; nothing vouches for it',
    fix: UNPACK,
  },
];

/** Why a member is there that nobody signed, and what to do, where its name tells. */
export function habitBehind(name: string): Pick<ErrorDetails, 'why' | 'fix' | 'own'> {
  const habit = HABITS.find((known) => known.name.test(name));
  if (!habit) return {};
  return { why: habit.why, fix: habit.fix, ...(habit.own !== undefined && { own: habit.own }) };
}
