import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { hasPeer } from '../interop/peer.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const absent = !hasPeer('tmux -V', 'progress on a terminal that changes its size');

/** A window of tmux, with a shell line in it. */
function openWindow(desk: Desk, line: string): { tmux(...words: readonly string[]): string } & Disposable {
  const env = { ...desk.env, TERM: 'xterm', LC_ALL: 'C.UTF-8' };
  const socket = join(desk.folder, 'tmux');
  const tmux = (...words: readonly string[]): string =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], {
      cwd: desk.folder,
      env,
      encoding: 'utf8',
    });
  tmux('new-session', '-d', '-x', '100', '-y', '20', line);
  return { tmux, [Symbol.dispose]: () => tmux('kill-server') };
}

describe.skipIf(absent)('[cli.6] on a terminal that changes its size', () => {
  test('progress is drawn over, and leaves nothing behind', async () => {
    using desk = workbench.desk('bundle', 'keys');
    execFileSync('mkfifo', ['pipe'], { cwd: desk.folder });
    const verify = 'bulla verify - --trust ca.pem < pipe';
    using window = openWindow(desk, `echo before; ${verify}; echo code $?; sleep 60`);
    const screen = (): string => window.tmux('capture-pane', '-p', '-S', '-').trimEnd();
    const until = async (isThere: (seen: string) => boolean): Promise<void> => {
      while (!isThere(screen())) await new Promise((resolve) => setTimeout(resolve, 30));
    };
    const pipe = openSync(join(desk.folder, 'pipe'), 'w');
    const bytes = readFileSync(join(desk.folder, 'web.ova'));
    let at = 0;
    for (const columns of ['40', '60', '41', '100']) {
      const before = screen();
      // a little of the bundle now and then, until a line is drawn that is another
      await until((seen) => {
        at += writeSync(pipe, bytes, at, Math.min(16, bytes.length / 2 - at));
        return /^before\n\w+ .*B\/s.*$/.test(seen) && seen !== before;
      });
      window.tmux('resize-window', '-x', columns);
      expect(screen()).toMatch(/^before\n\w+ .*B\/s.*$/);
    }
    writeSync(pipe, bytes, at);
    closeSync(pipe);
    await until((seen) => seen.includes('code'));
    expect(screen()).toMatch(/^before\n\S+ standard input {2}trusted\n/);
    expect(screen()).not.toContain('B/s');
  });
});
