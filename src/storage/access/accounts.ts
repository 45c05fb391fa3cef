import { readFileSync } from 'node:fs';
import { printable } from '../../kit/encoding.ts';

/** The lists of who there is. Other name services, such as LDAP, are not asked. */
const USERS = '/etc/passwd';
const GROUPS = '/etc/group';

/** The users of this machine, each as the fields of its line: name, password, number, number of the group, and more. */
export const users = (): readonly (readonly string[])[] => linesOf(USERS);

/** The groups of this machine, each as the fields of its line: name, password, number, members. */
export const groups = (): readonly (readonly string[])[] => linesOf(GROUPS);

/** The name of a user, or his number where he has none here. */
export const userName = (uid: bigint | number): string => nameIn(users(), uid);

/** The name of a group, or its number where it has none here. */
export const groupName = (gid: bigint | number): string => nameIn(groups(), gid);

/** The number of the user of this name; undefined when there is none. */
export const userNumber = (name: string): number | undefined => numberIn(users(), name);

/** The number of the group of this name; undefined when there is none. */
export const groupNumber = (name: string): number | undefined => numberIn(groups(), name);

function numberIn(lines: readonly (readonly string[])[], name: string): number | undefined {
  const [, , number = ''] = lines.find(([first]) => first === name) ?? [];
  return /^\d{1,10}$/.test(number) ? Number(number) : undefined;
}

function nameIn(lines: readonly (readonly string[])[], id: bigint | number): string {
  const line = lines.find(([, , number]) => number === String(id));
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
