import { printable } from './encoding.ts';
import { BundleError } from './errors/errors.ts';

/** Takes a value of the caller's as what it must be, each part of it read once; `name` is what the caller calls it. @throws {BundleError} `USAGE` */
export type Rule<T> = (value: unknown, name: string) => T;

/** The row of what must be given. */
export interface Needed<T> {
  readonly needed: Rule<T>;
}

type Row<T, K extends keyof T> =
  Record<never, never> extends Pick<T, K> ? Rule<Exclude<T[K], undefined>> : Needed<T[K]>;

/** A rule for each option of `T`: one that has none does not compile. */
export type Rows<T> = { readonly [K in keyof T]-?: Row<T, K> };

/** Marks what must be given. */
export function needed<T>(rule: Rule<T>): Needed<T> {
  return { needed: rule };
}

/**
 * A plain object with these options and no other; those that are undefined count as left out.
 *
 * What is inherited would be seen by some who read the object and not by others, so an object of a class is none.
 */
export function shape<T extends object>(rows: Rows<T>): Rule<T> {
  const known = new Map(Object.entries<Rule<unknown> | Needed<unknown>>(rows));
  return (value, name) => {
    const options = isPlain(value) ? value : refuse(name, value, 'a plain object of options');
    const taken: Record<string, unknown> = {};
    for (const key of reading(name, () => Reflect.ownKeys(options))) {
      const row = typeof key === 'string' ? known.get(key) : undefined;
      if (typeof key !== 'string' || !row) throw unknownOption(name, key, known.keys());
      const part = partOf(name, key);
      const given = reading(part, () => Reflect.get(options, key));
      if (given !== undefined) taken[key] = ruleOf(row)(given, part);
    }
    for (const [key, row] of known) {
      if (typeof row !== 'function' && taken[key] === undefined) ruleOf(row)(undefined, partOf(name, key));
    }
    return taken as T;
  };
}

/** An object of any class with these, and with whatever else it has: its methods go on being called on itself. */
export function face<T extends object>(rows: Rows<T>, what: string): Rule<T> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || isList(value)) return refuse(name, value, what);
    const taken: Record<string, unknown> = {};
    for (const [key, row] of Object.entries<Rule<unknown> | Needed<unknown>>(rows)) {
      const part = partOf(name, key);
      const given = reading(part, () => Reflect.get(value, key));
      if (given === undefined && typeof row === 'function') continue;
      const own = ruleOf(row)(given, part);
      taken[key] = typeof own === 'function' ? own.bind(value) : own;
    }
    return taken as T;
  };
}

function ruleOf(row: Rule<unknown> | Needed<unknown>): Rule<unknown> {
  return typeof row === 'function' ? row : row.needed;
}

function partOf(name: string, key: string): string {
  return name === '' ? key : `${name}.${key}`;
}

/** What the caller's own code throws while it is asked for a value is a slip of the caller's. */
export function reading<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = `${named(name)} cannot be read: asking for it throws`;
    throw new BundleError('USAGE', message, { why: WHY, fix: 'give plain values', cause });
  }
}

function isPlain(value: unknown): value is object {
  return reading('', () => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const parent: unknown = Object.getPrototypeOf(value);
    if (parent === null || parent === Object.prototype) return true;
    // that of another realm
    return Object.getPrototypeOf(parent) === null && Object.hasOwn(parent as object, 'isPrototypeOf');
  });
}

function isList(value: unknown): value is readonly unknown[] {
  return reading('', () => Array.isArray(value));
}

/** A list, each of its items by the same rule. */
export function list<T>(item: Rule<T>): Rule<readonly T[]> {
  return (value, name) => {
    if (!isList(value)) return refuse(name, value, 'a list');
    const items = value;
    const { length } = reading(name, () => ({ length: items.length }));
    const taken: T[] = [];
    for (let i = 0; i < length; i++) {
      const part = `${name}[${i}]`;
      taken.push(
        item(
          reading(part, () => items[i]),
          part,
        ),
      );
    }
    return taken;
  };
}

/** A plain object whose values are all by the same rule. */
export function record<T>(item: Rule<T>): Rule<Readonly<Record<string, T>>> {
  return (value, name) => {
    const given = isPlain(value) ? value : refuse(name, value, 'a plain object');
    const keys = reading(name, () => Reflect.ownKeys(given)).map((key) =>
      typeof key === 'string' ? key : refuse(name, value, 'names that are texts'),
    );
    return Object.fromEntries(
      keys.map((key) => {
        const part = `${name}["${cut(key)}"]`;
        return [
          key,
          item(
            reading(part, () => Reflect.get(given, key)),
            part,
          ),
        ];
      }),
    );
  };
}

/** One of these words; the table has a row for every word of the type. */
export function oneOf<T extends string>(words: Readonly<Record<T, true>>): Rule<T> {
  const all = Object.keys(words);
  const what = all.map((word) => `"${word}"`).join(', ');
  return (value, name) =>
    typeof value === 'string' && all.includes(value) ? (value as T) : refuse(name, value, `one of ${what}`);
}

/** `true` or `false`, and nothing that only counts as such. */
export const flag: Rule<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : refuse(name, value, 'true or false');

/** A whole number that is counted exactly, not less than zero. */
export const count: Rule<number> = (value, name) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(name, value, 'a whole number, not less than 0 and not more than 2^53 - 1');

/** A whole number of which there is at least one. */
export const positive: Rule<number> = (value, name) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0
    ? value
    : refuse(name, value, 'a whole number, not less than 1 and not more than 2^53 - 1');

/** Any text. */
export const text: Rule<string> = (value, name) =>
  typeof value === 'string' ? value : refuse(name, value, 'a text');

/** The name of a file or folder, an address, or whatever else stands for something and so is never empty. */
export const path: Rule<string> = (value, name) =>
  typeof value === 'string' && value !== '' && !value.includes('\0')
    ? value
    : refuse(name, value, 'a text that is not empty, without NUL characters');

/** A moment; a copy, which nobody changes meanwhile. */
export const moment: Rule<Date> = (value, name) => {
  const time = isDate(value) ? Date.prototype.getTime.call(value) : Number.NaN;
  return Number.isNaN(time) ? refuse(name, value, 'a Date that stands for a moment') : new Date(time);
};

/** Of any realm, whatever it says of itself. */
function isDate(value: unknown): value is Date {
  try {
    Date.prototype.getTime.call(value);
    return true;
  } catch {
    return false;
  }
}

/** An object that a test knows by what it is inside; a test that throws says no. */
export function object<T extends object>(isOne: (value: unknown) => boolean, what: string): Rule<T> {
  const holds = (value: unknown): value is T => {
    try {
      return isOne(value);
    } catch {
      return false;
    }
  };
  return (value, name) => (holds(value) ? value : refuse(name, value, what));
}

/** An `AbortSignal`. */
export const abortSignal = object<AbortSignal>((value) => {
  const aborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')?.get;
  return typeof aborted?.call(value) === 'boolean';
}, 'an AbortSignal');

/** A function; what it gives is looked at when it has been called. */
export function callback<T extends (...args: never[]) => unknown>(): Rule<T> {
  return (value, name) => (typeof value === 'function' ? (value as T) : refuse(name, value, 'a function'));
}

/** Refuses a value, and says what there may be. @throws {BundleError} `USAGE` */
export function refuse(name: string, value: unknown, what: string): never {
  const missing = value === undefined;
  const message = missing ? `${named(name)} is missing` : `${named(name)} is ${shown(value)}`;
  throw new BundleError('USAGE', message, { why: WHY, fix: `give ${what}` });
}

/** Refuses an option that would have no effect beside the others. @throws {BundleError} `USAGE` */
export function expectNoUse(given: unknown, name: string, beside: string): void {
  const isAsked = Array.isArray(given) ? given.length > 0 : given !== undefined && given !== false;
  if (!isAsked) return;
  throw new BundleError('USAGE', `the option ${name} has no effect ${beside}`, {
    why: WHY,
    fix: `leave out ${name}, or what it does not go with`,
  });
}

const WHY = 'what is asked for is done or refused: nothing that is given is passed over';

function named(name: string): string {
  return name === '' ? 'what is given as options' : `"${name}"`;
}

function unknownOption(name: string, key: string | symbol, known: Iterable<string>): BundleError {
  const what = typeof key === 'string' ? `"${cut(key)}"` : 'that is a symbol';
  const within = name === '' ? '' : ` in ${name}`;
  const message = `there is no option ${what}${within}`;
  return new BundleError('USAGE', message, { why: WHY, fix: `the options are ${[...known].join(', ')}` });
}

const SHOWN = 40;

function cut(value: string): string {
  return printable(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
}

/** A value for a message: what it is, and never more of it than a few words. */
function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `the text "${cut(value)}"`;
    case 'number':
    case 'boolean':
    case 'bigint':
      return cut(`${value}`);
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    default:
      if (value === null) return 'null';
      if (isDate(value))
        return Number.isNaN(Date.prototype.getTime.call(value)) ? 'an invalid Date' : 'a Date';
      return isList(value) ? 'a list' : 'an object';
  }
}
