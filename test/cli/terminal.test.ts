import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runWithin } from '../factory/command-line.ts';
import { type Desk, makeWorkbench, PASSPHRASE, type Workbench } from '../factory/workbench.ts';
import { hasPeer } from '../interop/peer.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const ESCAPE = '\x1b';
const absent = !hasPeer('script --version', 'anything on a terminal, for want of the script of util-linux');

/** Runs a line on a terminal of its own; every string of `typed` is typed when its turn `[wait for, type]` has come. */
async function onTerminal(
  desk: Desk,
  line: string,
  typed: readonly (readonly [awaited: string, keys: string])[] = [],
): Promise<{ code: number | null; screen: string }> {
  const env = { ...desk.env, TERM: 'xterm', NO_COLOR: '' };
  const child = spawn('script', ['-qec', line, '/dev/null'], { cwd: desk.folder, env });
  const left = [...typed];
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    const [next] = left;
    if (!next || !screen.includes(next[0])) return;
    left.shift();
    child.stdin.write(next[1]);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, screen })));
}

describe.skipIf(absent)('on a terminal', () => {
  const PACK = 'bulla pack disk.qcow2 -o web.ova --key locked.key --cert signer.pem';
  const PROMPT = 'passphrase of locked.key: ';

  test('[cli.8] a passphrase is asked for, and nothing of it is shown', async () => {
    using desk = workbench.desk('disk', 'keys');
    const slip = 'x\x7f'; // a wrong key, and backspace
    const { code, screen } = await onTerminal(desk, `NO_COLOR=1 ${PACK}`, [
      [PROMPT, `${PASSPHRASE}${slip}\r`],
    ]);
    expect(screen).toContain('packed');
    for (const word of PASSPHRASE.split(' ')) expect(screen).not.toContain(word);
    expect(code).toBe(0);
  });

  test.each([
    ['y', 0],
    ['n', 130],
    ['', 130],
  ])(
    '[room.3] who answers a request sees it, with --quiet too, and is asked: "%s"',
    async (typed, expected) => {
      using desk = workbench.desk('unsigned', 'keys');
      expect((await runWithin(desk, 'bulla sign web.ova --prepare request.json')).code).toBe(0);
      const line = 'bulla sign --answer request.json --key signer.key --cert signer.pem --quiet > quiet.txt';
      const { code, screen } = await onTerminal(desk, `NO_COLOR=1 ${line}`, [['[y/N] ', `${typed}\r`]]);
      expect(screen.replace(/\s+/g, ' ')).toMatch(
        /signs disk\.qcow2 sha256:[0-9a-f]{64} .*sign this as CN=Acme Release/,
      );
      expect(code).toBe(expected);
      expect(existsSync(join(desk.folder, 'response.json'))).toBe(expected === 0);
    },
  );

  test('[room.3] what would be asked and not seen is refused', async () => {
    using desk = workbench.desk('unsigned', 'keys');
    await runWithin(desk, 'bulla sign web.ova --prepare request.json');
    const line = 'bulla sign --answer request.json --key signer.key --cert signer.pem 2> log.txt';
    const { code } = await onTerminal(desk, line);
    expect(code).toBe(2);
    expect(existsSync(join(desk.folder, 'response.json'))).toBe(false);
  });

  const AGAIN = `that is not it; ${PROMPT}`;

  test('[cli.8] a wrong one is asked for again, three times in all', async () => {
    using desk = workbench.desk('disk', 'keys');
    const wrong = 'four blind mice\r';
    const { code, screen } = await onTerminal(desk, PACK, [
      [PROMPT, wrong],
      [AGAIN, wrong],
      [`${AGAIN}\r\n${AGAIN}`, wrong],
    ]);
    expect(screen).toContain('[PASSPHRASE_WRONG, exit 5]');
    expect(screen).not.toContain('mice');
    expect(screen).not.toContain('--passphrase-file');
    expect(screen.split(PROMPT)).toHaveLength(4);
    expect(code).toBe(5);
  });

  test('[cli.8] the right one behind a wrong one opens the key', async () => {
    using desk = workbench.desk('disk', 'keys');
    const { code, screen } = await onTerminal(desk, PACK, [
      [PROMPT, 'four blind mice\r'],
      [AGAIN, `${PASSPHRASE}\r`],
    ]);
    expect(screen).toContain('packed');
    expect(code).toBe(0);
  });

  test('[cli.8] what is typed while a wrong one is tried is not shown either, and the terminal is as before', async () => {
    using desk = workbench.desk('disk', 'keys');
    const { code, screen } = await onTerminal(desk, `${PACK}; stty -a`, [
      [PROMPT, 'four blind mice\r'],
      [`${PROMPT}\r\n`, 'qzxwvk'],
      [AGAIN, '\r'],
      [`${AGAIN}\r\n${AGAIN}`, `${PASSPHRASE}\r`],
    ]);
    expect(screen).toContain('packed');
    expect(screen).not.toContain('qzxwvk');
    expect(screen).toMatch(/ icanon\b.* echo\b/s);
    expect(code).toBe(0);
  });

  test.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('%s at the passphrase ends the command, and the terminal is as before', async (_name, key) => {
    using desk = workbench.desk('disk', 'keys');
    const { screen } = await onTerminal(desk, `${PACK}; echo code $?; stty -a`, [[PROMPT, `abc${key}`]]);
    expect(screen).toContain('code 130');
    expect(screen).toMatch(/ icanon\b.* echo\b/s);
    expect(existsSync(join(desk.folder, 'web.ova'))).toBe(false);
  });

  test('[cli.7] there is colour, and none when NO_COLOR or TERM says so', async () => {
    using desk = workbench.desk('bundle', 'keys');
    const verify = 'bulla verify web.ova --trust ca.pem';
    expect((await onTerminal(desk, verify)).screen).toContain(`${ESCAPE}[32m`);
    expect((await onTerminal(desk, `NO_COLOR=1 ${verify}`)).screen).not.toContain(`${ESCAPE}[3`);
    expect((await onTerminal(desk, `TERM=dumb ${verify}`)).screen).not.toContain(ESCAPE);
  });

  test('"-" without a pipe is explained instead of waited for', async () => {
    using desk = workbench.desk();
    const { code, screen } = await onTerminal(desk, 'bulla verify -');
    expect(screen).toContain('nothing is piped into standard input');
    expect(code).toBe(2);
  });
});

describe('elsewhere', () => {
  test('[cli.7] there is no colour, unless FORCE_COLOR asks for it', async () => {
    using desk = workbench.desk('bundle', 'keys');
    const verify = 'NO_COLOR= bulla verify web.ova --trust ca.pem';
    expect((await desk.run(verify)).stdout).not.toContain(ESCAPE);
    expect((await desk.run(`FORCE_COLOR=1 ${verify}`)).stdout).toContain(ESCAPE);
  });

  test.each(['C', 'POSIX', 'de_DE.ISO-8859-1', ''])(
    '[cli.7] marks are ASCII in the locale "%s"',
    async (locale) => {
      using desk = workbench.desk('bundle', 'unsigned', 'keys');
      const env = { ...desk.env, LC_ALL: locale, LC_CTYPE: '', LANG: '' };
      // as a program once: the variables are all that differs
      const run = (line: string) =>
        locale === 'C' ? desk.run(`LC_ALL=C LC_CTYPE= LANG= ${line}`) : runWithin({ ...desk, env }, line);
      const refused = await run('bulla verify web.ova --trust ca.pem');
      const allowed = await run('bulla verify web.ova --trust ca.pem --allow-unsigned');
      const added = await run('bulla trust add acme ca.pem');
      expect(refused.stderr).toMatch(/^FAILED web\.ova {2}NOT trusted: /);
      expect(allowed.stdout).toMatch(/^WARNING web\.ova {2}NOT trusted, accepted as allowed/);
      expect(added.stdout).toMatch(/^OK publisher/);
      const everything = [refused, allowed, added].map(({ stdout, stderr }) => stdout + stderr).join('');
      // what is left out of an advised command is a text, and no mark
      expect(everything.replaceAll('--key … --cert …', '')).toMatch(/^[\n\x20-\x7e]*$/);
    },
  );

  test('[cli.6] --quiet says nothing of what is good, and all of what is not', async () => {
    using desk = workbench.desk('bundle', 'keys', 'disk');
    const silent = { stdout: '', stderr: '', code: 0 };
    expect(await desk.run('bulla verify -q web.ova --trust ca.pem')).toEqual(silent);
    expect(await runWithin(desk, 'bulla import -q web.ova --to new --trust ca.pem')).toEqual(silent);
    expect(await runWithin(desk, 'bulla pack -q disk.qcow2 -o new.ova')).toEqual(silent);
    expect(await runWithin(desk, 'bulla inspect -q web.ova')).toEqual(silent);
    const refused = await runWithin(desk, 'bulla verify -q web.ova');
    expect(refused.stderr).toContain('[TRUST_EMPTY, exit 20]');
  });
});
