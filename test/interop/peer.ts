import { spawnSync } from 'node:child_process';

/**
 * What the tests may start anywhere: what every Debian has, the slimmest too. All other programs are peers, which a machine
 * may be without.
 */
export const BASE: ReadonlySet<string> = new Set(
  (
    'sh bash base64 basename cat chmod cmp cp cut date dd df diff dirname env false find fold grep gzip gunzip head id join ln ls ' +
    'mkdir mkfifo mktemp mount mv nl od printf pwd readlink rm rmdir sed seq sha1sum sha256sum sha512sum sleep sort split stat ' +
    'stty tail tar tee test timeout touch tr true truncate umount uniq wc xargs'
  ).split(' '),
);

/** True when a probe such as `qemu-img --version` runs here; else it says loudly what goes untested for want of it. */
export function hasPeer(probe: string, untested: string): boolean {
  const [program = '', ...args] = probe.split(' ');
  if (spawnSync(program, args, { stdio: 'ignore' }).status === 0) return true;
  console.warn(`SKIPPED: "${probe}" does not run on this machine; untested: ${untested}`);
  return false;
}
