// Builds dist/: the library as tsc makes it, file by file, and the command line in few files, since each file that is
// loaded takes its time. node build.mjs [--out FOLDER] [--no-check]
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
/** What every command needs is put into the files; the rest is heavy, and loaded when it is used. */
const INSIDE = ['commander', 'picocolors', 'saxes', 'xmlchars'];
/** What as many parts of the command line use is in one file; what fewer use is beside those that do. */
const COMMON_TO = 6;

function compile(out, check) {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '--outDir', out, ...(check ? [] : ['--noCheck'])];
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
}

async function bundle(out) {
  const isOutside = (id) => /^[a-z@]/.test(id) && !INSIDE.includes(id.split('/')[0]);
  const entry = join(out, 'cli/main.js');
  const built = await rolldown({
    input: entry,
    platform: 'node',
    external: isOutside,
    logLevel: 'warn',
    preserveEntrySignatures: 'allow-extension',
  });
  let first;
  const common = (id, graph) => {
    first ??= loadedWith(entry, graph);
    return first.has(id) ? null : 'common';
  };
  const { output } = await built.generate({
    format: 'esm',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      // else the file that every command starts with would need the common one
      includeDependenciesRecursively: false,
      groups: [{ debugName: 'common', name: common, minShareCount: COMMON_TO }],
    },
  });
  await built.close();
  rmSync(join(out, 'cli'), { recursive: true });
  for (const { fileName, code } of output) write(join(out, 'cli', fileName), code);
  chmodSync(entry, 0o755);
  write(join(out, 'cli/third-party.txt'), INSIDE.map(licenceOf).join('\n'));
}

/** The modules that are loaded with the first file, whatever the command. */
function loadedWith(entry, graph) {
  const loaded = new Set();
  const walk = (module) => {
    if (loaded.has(module)) return;
    loaded.add(module);
    graph.getModuleInfo(module)?.importedIds.forEach(walk);
  };
  walk(entry);
  return loaded;
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function licenceOf(name) {
  const folder = join(ROOT, 'node_modules', name);
  const { version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const text = join(folder, 'LICENSE');
  const by = typeof author === 'object' ? author.name : author;
  return `${name} ${version}, ${license}, by ${by}\n${existsSync(text) ? `\n${readFileSync(text, 'utf8')}` : ''}`;
}

const { values } = parseArgs({
  options: { out: { type: 'string', default: 'dist' }, check: { type: 'boolean', default: true } },
  allowNegative: true,
});
const out = resolve(ROOT, values.out);
compile(out, values.check);
await bundle(out);
