import { spawnSync } from 'node:child_process';

/** True when a probe such as `qemu-img --version` runs here; else it says loudly what goes untested for want of it. */
export function hasPeer(probe: string, untested: string): boolean {
  const [program = '', ...args] = probe.split(' ');
  if (spawnSync(program, args, { stdio: 'ignore' }).status === 0) return true;
  console.warn(`SKIPPED: "${probe}" does not run on this machine; untested: ${untested}`);
  return false;
}
