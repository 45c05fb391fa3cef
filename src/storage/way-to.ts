import { type BigIntStats, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { printable } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';

const MOST_LINKS = 40;
const WORLD_WRITABLE = 0o002n;
const GROUP_WRITABLE = 0o020n;
const STICKY = 0o1000n;

/**
 * Looks at every folder in which a name is looked up on the way to `folder`, links in it included: whoever may rename there decides
 * what is found behind it. Says who that is besides this user and root. [import.10]
 *
 * @param folder absolute
 * @throws {BundleError} `STORAGE_FAILED` when everybody may; what the system does
 */
export function othersOnTheWay(folder: string): readonly string[] {
  const own = process.geteuid?.();
  if (own === undefined || sep !== '/') return [];
  const me = BigInt(own);
  return [...stepsTo(folder)].flatMap(({ path, stats, link }) => {
    const { uid, gid, mode } = stats;
    const others = uid === me || uid === 0n ? [] : [`the user ${nameOf('/etc/passwd', uid)}`];
    if (link) return others.map((who) => `${who} (owner of the link ${printable(path)})`);
    const sticky = (mode & STICKY) !== 0n;
    if ((mode & WORLD_WRITABLE) !== 0n && !sticky) throw open(path);
    if ((mode & GROUP_WRITABLE) !== 0n && !sticky && !isOnlyOf(gid, me))
      others.push(`the group ${nameOf('/etc/group', gid)}`);
    return others.map((who) => `${who} (in ${printable(path)})`);
  });
}

/** A folder in which the next name of a path is looked up; or a link on the way, whose owner may replace it in a sticky folder. */
interface Step {
  readonly path: string;
  readonly stats: BigIntStats;
  readonly link: boolean;
}

function* stepsTo(folder: string): Generator<Step> {
  const names = folder.split('/');
  let at = '/';
  let links = 0;
  for (;;) {
    const stats = statSync(at, { bigint: true });
    yield { path: at, stats, link: false };
    let name = names.shift();
    while (name === '' || name === '.') name = names.shift();
    if (name === undefined) return;
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const next = join(at, name);
    const found = lstatSync(next, { bigint: true });
    if (!found.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > MOST_LINKS) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
    if ((stats.mode & STICKY) !== 0n) yield { path: next, stats: found, link: true };
    const target = readlinkSync(next);
    names.unshift(...target.split('/'));
    if (target.startsWith('/')) at = '/';
  }
}

/** [import.9] In a folder where everybody may rename everything, the members could be exchanged after the verdict. */
function open(path: string): BundleError {
  return new BundleError('STORAGE_FAILED', 'everybody may rename and delete what is in this folder', {
    where: { file: path },
    why: 'another user could put other files in place of those that were verified',
    fix: 'choose another destination, or protect the folder: chmod o-w (chmod +t, where others must write there)',
  });
}

/** Whether a group has no other members than this user and root, by the files of the system: that of its name, as many have. */
function isOnlyOf(gid: bigint, me: bigint): boolean {
  const users = linesOf('/etc/passwd');
  const ids = new Map(users.map(([name = '', , uid = '']) => [name, uid]));
  const group = linesOf('/etc/group').filter(([, , id]) => id === String(gid));
  if (group.length === 0) return false;
  const isFine = (uid: string | undefined): boolean => uid === String(me) || uid === '0';
  const listed = group.flatMap(([, , , members = '']) => members.split(',').filter((name) => name !== ''));
  const primary = users.filter(([, , , id]) => id === String(gid));
  return listed.every((name) => isFine(ids.get(name))) && primary.every(([, , uid]) => isFine(uid));
}

function nameOf(file: string, id: bigint): string {
  const line = linesOf(file).find(([, , number]) => number === String(id));
  return line?.[0] === undefined ? String(id) : printable(line[0]);
}

function linesOf(file: string): readonly (readonly string[])[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return []; // then nothing is known of who is in which group
  }
}
