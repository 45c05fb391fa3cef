import { type BigIntStats, lstatSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { BundleError } from '../kit/errors/errors.ts';
import { linkText } from './absolute.ts';
import { groupName, groups, userName, users } from './access/accounts.ts';

const MOST_LINKS = 40;
const WORLD_WRITABLE = 0o002n;
const GROUP_WRITABLE = 0o020n;
const STICKY = 0o1000n;

/**
 * Refuses a `folder` on the way to which somebody besides this user and root may rename: whoever may, in a folder where a name is
 * looked up (links in it included), decides what is found behind it. [import.10]
 *
 * Whoever owns the folder `/` counts as root: seen from a user namespace, root has another number, which it may share there with
 * all others whom the namespace does not know.
 *
 * @param folder absolute
 * @throws {BundleError} `STORAGE_FAILED` when somebody may; what the system does
 */
export function expectOwnWay(folder: string): void {
  const own = process.geteuid?.();
  if (own === undefined || sep !== '/') return;
  const me = BigInt(own);
  const trusted = new Set([me, 0n, statSync('/', { bigint: true }).uid]);
  for (const { path, stats, link } of stepsTo(folder)) {
    const { uid, gid, mode } = stats;
    if (!trusted.has(uid)) throw ownedByAnother(path, userName(uid), link);
    if (link || (mode & STICKY) !== 0n) continue;
    if ((mode & WORLD_WRITABLE) !== 0n) throw writable(path, 'everybody', 'o-w');
    if ((mode & GROUP_WRITABLE) !== 0n && !isOnlyOf(gid, me))
      throw writable(path, `the group ${groupName(gid)}`, 'g-w');
  }
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
    const target = linkText(next);
    names.unshift(...target.split('/'));
    if (target.startsWith('/')) at = '/';
  }
}

/** [import.10] Where others may rename, no check made beforehand keeps the members from being exchanged after the verdict. */
function writable(path: string, who: string, mode: string): BundleError {
  return refused(path, {
    message: `${who} may rename and delete what is in this folder`,
    fix: `choose a folder of your own, or protect this one: chmod ${mode} (chmod +t, where others must write there)`,
  });
}

function ownedByAnother(path: string, user: string, link: boolean): BundleError {
  return refused(path, {
    message: `the user ${user} may ${link ? 'replace this link' : 'rename and delete what is in this folder'}, whose owner this is`,
    fix: 'choose a folder of your own, or run this as the owner of the folder',
  });
}

function refused(
  path: string,
  { message, fix }: { readonly message: string; readonly fix: string },
): BundleError {
  return new BundleError('STORAGE_FAILED', message, {
    where: { file: path },
    why: 'another user could put other files in place of those that were verified',
    fix,
  });
}

/**
 * Whether a group has no other members than this user and root, by the files of the system: that of its name, as many have. One
 * in which they do not list this user may have its members from elsewhere. [import.10]
 */
function isOnlyOf(gid: bigint, me: bigint): boolean {
  const all = users();
  const ids = new Map(all.map(([name = '', , uid = '']) => [name, uid]));
  const group = groups().filter(([, , id]) => id === String(gid));
  if (group.length === 0) return false;
  const listed = group.flatMap(([, , , members = '']) => members.split(',').filter((name) => name !== ''));
  const primary = all.filter(([, , , id]) => id === String(gid));
  const members = [...listed.map((name) => ids.get(name)), ...primary.map(([, , uid]) => uid)];
  return members.includes(String(me)) && members.every((uid) => uid === String(me) || uid === '0');
}
