// Puts what was measured last between the marks of the pages that show it: node bench/pages.mjs, and the end of npm run bench.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { longTable, shortTable } from './table.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MARKS = /(?<=<!-- speed -->\n).*(?=<!-- \/speed -->)/s;
const PAGES = [
  ['README.md', shortTable],
  ['bench/README.md', longTable],
];

/** The pages as they are to be, by their names from the root. */
export function pagesToBe() {
  const measured = JSON.parse(readFileSync(`${ROOT}bench/results/speed.json`, 'utf8'));
  return PAGES.map(([name, tableOf]) => {
    const page = readFileSync(ROOT + name, 'utf8');
    if (!MARKS.test(page)) throw new Error(`${name} has no marks for what was measured`);
    return [name, page.replace(MARKS, () => `${tableOf(measured)}\n`)];
  });
}

export function writePages() {
  for (const [name, text] of pagesToBe()) writeFileSync(ROOT + name, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writePages();
