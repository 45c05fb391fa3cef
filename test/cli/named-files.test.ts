import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ARGUMENT_NAMINGS, OPTION_NAMINGS, pathOf } from '../../src/cli/named-files.ts';
import { createProgram } from '../../src/cli/program.ts';
import { run } from '../../src/cli/run.ts';
import { folderForTests } from '../factory/sandbox.ts';
import { makeScreen } from './screen.ts';

const program = createProgram(makeScreen().context, () => {});
const COMMANDS = below(program).filter((command) => command.commands.length === 0);

function below(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(below)];
}

/** A place of a command line that takes a word: an option, or the n-th argument. */
interface Slot {
  readonly label: string;
  readonly naming: string | undefined;
  readonly at: string | number;
}

function slotsOf(command: Command): readonly Slot[] {
  const options = command.options
    .filter(({ required }) => required)
    .map(({ long }) => ({ label: `${long}`, naming: OPTION_NAMINGS[`${long}`], at: `${long}` }));
  const arguments_ = command.registeredArguments.map((argument, at) => {
    const name = `${pathOf(command)} ${argument.name()}`;
    return { label: `<${argument.name()}>`, naming: ARGUMENT_NAMINGS[name], at };
  });
  return [...options, ...arguments_];
}

/** What stands where nothing else does, so that the command is complete. */
const FILLED: Readonly<Record<string, string>> = {
  '--size': '1MiB',
  '--cert-uuid': '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d',
};

function lineOf(command: Command, words: ReadonlyMap<Slot['at'], string>): readonly string[] {
  const options = command.options.flatMap((option) => {
    const at = `${option.long}`;
    if (words.has(at)) return [at, `${words.get(at)}`];
    return option.mandatory ? [at, FILLED[at] ?? 'elsewhere'] : [];
  });
  const force = command.options.some(({ long }) => long === '--force') ? ['--force'] : [];
  const arguments_ = command.registeredArguments.map((_, at) => words.get(at) ?? 'elsewhere');
  return [...pathOf(command).split(' '), ...options, ...force, '--', ...arguments_];
}

describe('[out.1] what a word names', () => {
  test('is said of every option that takes a value, and of every argument', () => {
    const slots = COMMANDS.flatMap(slotsOf);
    expect(slots.filter(({ naming }) => naming === undefined).map(({ label }) => label)).toEqual([]);
    const options = new Set(slots.map(({ label }) => label));
    expect(Object.keys(OPTION_NAMINGS).filter((name) => !options.has(name))).toEqual([]);
    const arguments_ = COMMANDS.flatMap((command) =>
      command.registeredArguments.map((argument) => `${pathOf(command)} ${argument.name()}`),
    );
    expect(Object.keys(ARGUMENT_NAMINGS).sort()).toEqual(arguments_.sort());
  });

  test('is a file where the help says so', () => {
    const named = COMMANDS.flatMap(({ options }) => options).filter(({ flags }) =>
      /<(file|pem|dir|json|p7s)(\.\.\.)?>/.test(flags),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ long }) => OPTION_NAMINGS[`${long}`] === 'no file')).toEqual([]);
  });
});

const folder = folderForTests();
const home = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => process.chdir(home));

/** Other names of the file `read`, made in a fresh folder. */
const DISGUISES: Readonly<Record<string, (read: string) => string>> = {
  'its own name': (read) => read,
  'another spelling': (read) => `${dirname(read)}/./x/../${read.split('/').at(-1)}`,
  'its whole path': (read) => join(folder, read),
  'a link': (read) => {
    symlinkSync(join(folder, read), `${read}-link`);
    return `${read}-link`;
  },
  'a hard link': (read) => {
    linkSync(read, `${read}-hard`);
    return `${read}-hard`;
  },
  'a linked folder': (read) => {
    symlinkSync(join(folder, dirname(read)), `${dirname(read)}-linked`);
    return `${dirname(read)}-linked/${read.split('/').at(-1)}`;
  },
};

let count = 0;
function fresh(name: string): string {
  const inner = `case-${count++}`;
  mkdirSync(join(inner, 'x'), { recursive: true });
  writeFileSync(join(inner, name), 'what is read');
  return join(inner, name);
}

async function refused(
  line: readonly string[],
  names: readonly string[],
  settings: { readonly env?: Record<string, string>; readonly trustFolders?: readonly string[] } = {},
): Promise<void> {
  const { context, err, out } = makeScreen({ env: settings.env ?? {} });
  const code = await run([...line], { ...context, trustFolders: settings.trustFolders ?? [] });
  const told = [...err, ...out].join('\n');
  expect(told).toMatch(/\[USAGE, exit 2\]/);
  expect(told).toMatch(/the output would/);
  for (const name of names) expect(told).toContain(name);
  expect(code).toBe(2);
}

const PAIRS = COMMANDS.flatMap((command) => {
  const slots = slotsOf(command);
  return slots
    .filter(({ naming }) => naming === 'written')
    .flatMap((written) =>
      slots
        .filter(({ naming }) => naming?.startsWith('read'))
        .map((read) => ({
          name: `${pathOf(command)}: ${read.label} as ${written.label}`,
          command,
          read,
          written,
        })),
    );
});

test('there are pairs of every command that writes', () => {
  const writing = new Set(PAIRS.map(({ command }) => pathOf(command)));
  expect([...writing].sort()).toEqual(
    ['glance sign', 'import', 'join', 'normalize', 'pack', 'repack', 'sign', 'split', 'timestamp'].sort(),
  );
  expect(PAIRS.length).toBeGreaterThan(30);
});

describe('[out.1] what is read is never written to', () => {
  test.each(PAIRS)('$name', async ({ command, read, written }) => {
    for (const disguise of Object.values(DISGUISES)) {
      const file = fresh('file.ova');
      const other = disguise(file);
      const words = new Map([
        [read.at, file],
        [written.at, other],
      ]);
      await refused(lineOf(command, words), [file, other]);
      expect(readFileSync(file, 'utf8')).toBe('what is read');
      expect(readFileSync(other, 'utf8')).toBe('what is read');
    }
  });

  test.each(PAIRS)('$name, read by a name like an address', async ({ command, read, written }) => {
    const file = fresh('file.ova');
    const like = `${dirname(file)}://file.ova`;
    symlinkSync(dirname(file), `${dirname(file)}:`, 'dir');
    const words = new Map([
      [read.at, like],
      [written.at, file],
    ]);
    await refused(lineOf(command, words), [file, like]);
    expect(readFileSync(file, 'utf8')).toBe('what is read');
  });

  test.each(PAIRS.filter(({ read }) => read.naming !== 'read'))('$name, a folder', async (pair) => {
    const { command, read, written } = pair;
    for (const name of read.naming === 'read volumes' ? ['a.001'] : ['a.pem', 'a.CRT']) {
      const file = fresh(name);
      for (const output of [file, join(dirname(file), `new-${name}`)]) {
        const words = new Map([
          [read.at, dirname(file)],
          [written.at, output],
        ]);
        await refused(lineOf(command, words), [output, `"${dirname(file)}`]);
        expect(existsSync(join(dirname(file), `new-${name}`))).toBe(false);
      }
      expect(readFileSync(file, 'utf8')).toBe('what is read');
    }
  });

  const WRITING = COMMANDS.flatMap((command) =>
    slotsOf(command)
      .filter(({ naming }) => naming === 'written')
      .map((written) => ({ name: `${pathOf(command)} ${written.label}`, command, written })),
  );

  test.each(WRITING)('$name is not what a variable names', async ({ command, written }) => {
    for (const variable of ['BULLA_PASSPHRASE_FILE', 'OS_CACERT', 'NODE_EXTRA_CA_CERTS']) {
      const file = fresh('secret.ova');
      const line = lineOf(command, new Map([[written.at, file]]));
      await refused(line, [file], { env: { [variable]: file } });
      expect(readFileSync(file, 'utf8')).toBe('what is read');
    }
  });

  test.each(WRITING)('$name is not in a trust folder', async ({ command, written }) => {
    const trust = `trust-${count++}`;
    mkdirSync(join(trust, 'publishers/acme'), { recursive: true });
    mkdirSync(join(trust, 'revocation'));
    mkdirSync(`${trust}-kept`);
    const settings = join(trust, 'publishers/acme/publisher.toml');
    writeFileSync(settings, 'what is read');
    symlinkSync(join(folder, `${trust}-kept`), join(trust, 'publishers/kept'));
    symlinkSync(join(folder, trust), `${trust}-link`);
    writeFileSync(`${trust}-target`, 'what is read');
    symlinkSync(join(folder, `${trust}-target`), join(trust, 'revocation/a.crl'));
    const outputs = [
      settings,
      join(trust, 'publishers/acme/new.pem'),
      join(trust, 'publishers/new'),
      join(trust, 'revocation'),
      join(trust, 'revocation/new.crl'),
      join(trust, 'not/there/yet'),
      trust,
      `${trust}-link/publishers/new`,
      `${trust}-kept/new.pem`,
      `${trust}-target`,
    ];
    for (const output of outputs) {
      const line = lineOf(command, new Map([[written.at, output]]));
      await refused(line, [output, trust], { trustFolders: [trust] });
    }
    const line = lineOf(command, new Map([[written.at, 'not-there']]));
    await refused(line, ['not-there'], { trustFolders: ['not-there/bulla'] });
    expect(readFileSync(settings, 'utf8')).toBe('what is read');
  });

  test('a signature beside a file is an output, too', async () => {
    const file = fresh('file.ova.p7s');
    const line = ['sign', file.slice(0, -4), '--detached', '--key', 'k', '--cert', 'c', '--force'];
    await refused([...line, '--passphrase-file', file], [file]);
  });
});

describe('[out.2] a name that is not UTF-8 names no file', () => {
  const SLOTS = COMMANDS.flatMap((command) =>
    slotsOf(command)
      .filter(({ naming }) => naming !== 'no file')
      .map((slot) => ({ name: `${pathOf(command)} ${slot.label}`, command, slot })),
  );

  test.each(SLOTS)('$name', async ({ command, slot }) => {
    const { context, err } = makeScreen();
    expect(await run([...lineOf(command, new Map([[slot.at, 'caf\uFFFD.ova']]))], context)).toBe(2);
    expect(err.join('\n')).toMatch(/is not UTF-8 +\[USAGE, exit 2\]/);
    expect(existsSync('caf\uFFFD.ova')).toBe(false);
  });
});
