import { type Command, InvalidArgumentError } from 'commander';
import type { AskedAccess, FileAccess, FileOwner } from '../../formats/file-access.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { field, shown } from '../render/field.ts';

/** Who may do what with the files that a command makes. */
export interface AccessFlags {
  readonly mode?: number;
  readonly owner?: string;
}

/** Adds `--mode` and `--owner`. [import.13] */
export function withAccessOptions(command: Command): Command {
  return command
    .option(
      '--mode <octal>',
      'the mode of the files, such as 0640 (default: 0600); whoever may read them may enter the folders',
      parseMode,
    )
    .option(
      '--owner <user:group>',
      'who is to own it all, by names or numbers: qemu, qemu:kvm, :kvm or 107:107 (default: you); a group may read it with --mode 0640',
    );
}

/** What the flags say, by numbers. @throws {BundleError} `USAGE` for a name that this machine does not have, `STORAGE_FAILED` for what this user may not give */
export async function accessOf({ mode, owner }: AccessFlags): Promise<AskedAccess> {
  if (mode === undefined && owner === undefined) return {};
  const { expectMayGive } = await import('../../storage/access/give-access.ts');
  const asked = {
    ...(mode !== undefined && { mode }),
    ...(owner !== undefined && { owner: await ownerOf(owner) }),
  };
  expectMayGive(asked); // [cli.34]
  return asked;
}

/** One line that says who may do what. [import.14] */
export async function accessLine({ mode, folderMode, uid, gid }: FileAccess): Promise<string> {
  const { userName, groupName } = await accounts();
  const user = uid === undefined ? undefined : userName(uid);
  const group = gid === undefined ? undefined : groupName(gid);
  const owner = user === undefined && group === undefined ? [] : [`owner ${user ?? ''}:${group ?? ''}`];
  return field('access', `files ${mode}, folders ${folderMode}`, ...owner);
}

function parseMode(text: string): number {
  if (/^[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8);
  throw new InvalidArgumentError('Give a mode as chmod takes it, in octal, such as 0640.');
}

/** Who there is on this machine, which few commands ask. */
const accounts = () => import('../../storage/access/accounts.ts');

async function ownerOf(text: string): Promise<FileOwner> {
  const [user = '', group, ...more] = text.split(':');
  if (more.length > 0 || group === '' || (user === '' && group === undefined)) {
    throw new BundleError('USAGE', `"${shown(text)}" names no user and group`, {
      fix: 'give --owner USER, USER:GROUP or :GROUP, by names or numbers, such as qemu:kvm or 107:107',
    });
  }
  const { userNumber, groupNumber } = await accounts();
  return {
    ...(user !== '' && { uid: idOf(user, userNumber, 'user') }),
    ...(group !== undefined && { gid: idOf(group, groupNumber, 'group') }),
  };
}

function idOf(name: string, known: (name: string) => number | undefined, kind: 'user' | 'group'): number {
  const number = /^\d{1,10}$/.test(name) ? Number(name) : known(name);
  if (number !== undefined) return number;
  const [file, line] = kind === 'user' ? ['/etc/passwd', 'id -u USER'] : ['/etc/group', 'getent group GROUP'];
  throw new BundleError('USAGE', `there is no ${kind} "${shown(name)}" in ${file}`, {
    why: 'names from elsewhere, such as LDAP, are not looked up: only these lists of this machine are',
    fix: `check the name, or give the number: ${line} prints it`,
  });
}
