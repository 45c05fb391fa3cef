import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const MAP = readFileSync('src/README.md', 'utf8');
const ROWS = MAP.split('\n').filter((line) => line.startsWith('| '));
const CODE = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** The files that a text names, each seen from `src/` unless it stands beside the one before it, or in the top folder. */
function filesIn(text: string, folder: string): readonly string[] {
  let beside = folder;
  return [...text.matchAll(/`([\w./-]+\.(?:ts|mjs|md))`/g)].map(([, name = '']) => {
    const found = [name, join(beside, name), join('..', name)].find((path) => existsSync(join('src', path)));
    if (found) beside = dirname(found);
    return found ?? `${name} is not there`;
  });
}

test('every file that the map names is there', () => {
  const rooms = ROWS.flatMap((row) => {
    const [, room = '', , , first = ''] = row.split('|');
    const [, folder] = /`(\w+)\/`/.exec(room) ?? [];
    return folder && first.trim().startsWith('`') ? filesIn(first, folder) : [];
  });
  const rest = [...ROWS.filter((row) => !/^\| `\w+\/`/.test(row)), ...clauseLine()].flatMap((row) =>
    filesIn(row, ''),
  );
  expect(rooms.length).toBeGreaterThan(8);
  expect([...rooms, ...rest].filter((path) => path.endsWith('is not there'))).toEqual([]);
});

test('the map names a file in every folder of code', () => {
  const named = new Set(ROWS.flatMap((row) => filesIn(row, '')).map((path) => dirname(path)));
  const folders = [...new Set(CODE.map((path) => dirname(path)))];
  // each command has its file, by its name
  expect(folders.filter((folder) => !named.has(folder) && !folder.startsWith('cli/commands/'))).toEqual([]);
});

test('the map has a file for every family of clauses', () => {
  const named = clauseLine().flatMap((line) => [...line.matchAll(/(\w+): `/g)].map(([, family]) => family));
  const families = readdirSync('spec')
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => [...readFileSync(join('spec', name), 'utf8').matchAll(/\*\*([a-z0-9]+)\.1\*\*/g)])
    .map(([, family]) => family);
  expect(named.toSorted()).toEqual([...new Set(families)].toSorted());
});

function clauseLine(): readonly string[] {
  return MAP.split('\n').filter((line) => line.startsWith('arc: `'));
}
