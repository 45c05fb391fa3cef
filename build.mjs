// Builds dist/: the library as tsc makes it, file by file, and the command line in few files, since each file that is
// loaded takes its time. node build.mjs [--out FOLDER] [--no-check]
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
/** What every command needs is put into the files; the rest is heavy, and loaded when it is used. */
const INSIDE = ['commander', 'picocolors', 'saxes', 'xmlchars'];
/** What as many parts of the command line use is in one file, what `verify` has no use for in another; what fewer use is beside those that do. What the first file needs, and others do, is in one, too. */
const COMMON_TO = 6;

function compile(out, check) {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '--outDir', out, ...(check ? [] : ['--noCheck'])];
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
}

async function bundle(out) {
  const isOutside = (id) => /^[a-z@]/.test(id) && !INSIDE.includes(id.split('/')[0]);
  const entry = join(out, 'cli/main.js');
  const engine = { alias: { '#engine': join(out, 'engine/node/engine.js') } };
  const options = { platform: 'node', external: isOutside, resolve: engine, logLevel: 'warn' };
  const built = await rolldown({
    ...options,
    input: { program: entry },
    preserveEntrySignatures: 'allow-extension',
  });
  const launcher = await rolldown({ ...options, input: join(out, 'cli/launch.js') });
  let first;
  let verifying;
  const start = (id, graph) => {
    first ??= loadedWith(entry, graph);
    return first.has(id) ? 'start' : null;
  };
  const common = (id, graph) => {
    verifying ??= loadedWith(join(out, 'operations/verify/verify.js'), graph);
    return start(id, graph) ? null : verifying.has(id) ? 'common' : 'writing';
  };
  const { output } = await built.generate({
    format: 'cjs',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      // else the file that every command starts with would need the common one
      includeDependenciesRecursively: false,
      groups: [
        { debugName: 'start', name: start, minShareCount: 2 },
        { debugName: 'common', name: common, minShareCount: COMMON_TO },
      ],
    },
  });
  const [launch] = (await launcher.generate({ format: 'cjs' })).output;
  await built.close();
  await launcher.close();
  rmSync(join(out, 'cli'), { recursive: true });
  for (const { fileName, code } of output) write(join(out, 'cli', fileName), loadable(code));
  write(join(out, 'cli/package.json'), '{ "type": "commonjs" }\n');
  write(join(out, 'cli/launch.js'), launch.code);
  write(entry, entryFor(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).engines.node));
  chmodSync(entry, 0o755);
  write(join(out, 'cli/third-party.txt'), INSIDE.map(licenceOf).join('\n'));
}

/** [cli.27] The file that `bulla` is: every Node can read it, so that one that is too old says so before it stumbles over anything newer. */
function entryFor(engines) {
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines);
  return `#!/usr/bin/env node
'use strict';
var version = process.versions.node.split('.');
if (version[0] < ${major} || (version[0] == ${major} && version[1] < ${minor})) {
  process.exitCode = 2;
  console.error(
    'bulla needs Node ${major}.${minor} or later, and this is ' + process.version + ' (' + process.execPath + '): ' +
    'get a newer one at https://nodejs.org/, and put it first in PATH'
  );
} else {
  module.exports = require('./launch.js');
  if (require.main === module) module.exports.start(__dirname);
}
`;
}

/** Code as `cli/launch.ts` loads it: a function, by which packages that stay outside are imported, and all of it ASCII. */
function loadable(code) {
  return `(function (exports, require, module, __filename) {${code}\n})`
    .replaceAll(/\bimport\("([a-z0-9-]+)"\)/g, 'require.import("$1")')
    .replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
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

/** Lets the program verify a bundle, and keeps what V8 has compiled for it. */
function keepCompiled(out) {
  const folder = mkdtempSync(join(tmpdir(), 'bulla-build-'));
  const main = join(out, 'cli/main.js');
  const run = (...words) =>
    execFileSync(process.execPath, words, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const keep = `
    const { start, scripts, cacheOf, CACHE_SUFFIX } = require(${JSON.stringify(main)});
    process.argv = [process.execPath, ${JSON.stringify(main)}, 'verify', 'a.ova', '--trust', 'keys/ca.pem'];
    process.on('exit', (code) => {
      if (code === 0) for (const each of scripts) require('node:fs').writeFileSync(each.file + CACHE_SUFFIX, cacheOf(each));
    });
    start(${JSON.stringify(join(out, 'cli'))});`;
  try {
    writeFileSync(join(folder, 'disk.raw'), new Uint8Array(4096));
    run(main, 'dev-certs', 'keys');
    run(
      main,
      'pack',
      '--quiet',
      'disk.raw',
      '--name',
      'a',
      '-o',
      'a.ova',
      '--key',
      'keys/signer.key',
      '--cert',
      'keys/signer.pem',
    );
    run('--eval', keep);
  } finally {
    rmSync(folder, { recursive: true });
  }
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
keepCompiled(out);
