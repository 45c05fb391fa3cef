// Runs the program again and again in one process, as it is told by lines of JSON, `{"folder", "env", "words", "call", "signal"}`;
// what came of each is a line, too: the code that the program left with, what it wrote, and how often it changed the file system.
//
// All of the program begins anew for each run, compiled once, and the system sends it its signals. Where it leaves the process, that stands
// still until the next line: who reads the folder in between finds what a process that ends there leaves.
//
// node --require stop-at.cjs in-turn.cjs MAIN
const crypto = require('node:crypto');
const { readSync, writeSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { promisify } = require('node:util');
const vm = require('node:vm');
const { arm, countOfCalls } = require('./stop-at.cjs');

const [, , main] = process.argv;
const { exit } = process;
let told = '';

for (const stream of [process.stdout, process.stderr])
  stream.write = (text, done) => {
    told += text;
    if (done) process.nextTick(done);
    return true;
  };

const { Script } = vm;
const scripts = new Map();
vm.Script = function compileOnce(source, options) {
  const { filename } = options;
  if (!scripts.has(filename)) scripts.set(filename, new Script(source, options));
  return scripts.get(filename);
};

// Keys take long to make: those of the first run are those of all.
const makePair = promisify(crypto.generateKeyPair);
const pairs = [];
let taken = 0;
crypto.generateKeyPair[promisify.custom] = (...kind) => {
  pairs[taken] ??= makePair(...kind);
  return pairs[taken++];
};

process.exit = (code) => {
  writeSync(1, `${JSON.stringify({ code, told, calls: countOfCalls() })}\n`);
  const next = lineOfInput();
  if (next === '') exit(0);
  setTimeout(begin, 5, JSON.parse(next)); // what the last run may still have under way ends
};

function lineOfInput() {
  const bytes = Buffer.alloc(65_536);
  let line = '';
  do {
    const length = readSync(0, bytes);
    if (length === 0) return '';
    line += bytes.toString('utf8', 0, length);
  } while (!line.endsWith('\n'));
  return line;
}

function begin({ folder, env, words, call, signal }) {
  process.chdir(folder);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [process.execPath, main, ...words];
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  told = '';
  taken = 0;
  arm(call, signal);
  // what has been loaded is kept by the launcher, too
  for (const file of [main, join(dirname(main), 'launch.js')]) delete require.cache[file];
  module.children.length = 0;
  require(main).start(dirname(main));
}

begin(JSON.parse(lineOfInput()));
