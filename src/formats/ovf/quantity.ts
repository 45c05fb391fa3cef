// Programmatic units (DSP0004, Annex C): a base unit, then factors, each a number or a power of one.
const PROGRAMMATIC = /^bytes?(?<factors>(?:\s*\*\s*\d{1,16}(?:\^\d{1,3})?){0,8})$/i;
const FACTOR = /(?<base>\d+)(?:\^(?<exponent>\d+))?/g;

// The names of OVF 0.9, which exporters still write; all of them mean powers of 1024.
const NAMED: Readonly<Record<string, number>> = {
  kilobytes: 2 ** 10,
  megabytes: 2 ** 20,
  gigabytes: 2 ** 30,
  terabytes: 2 ** 40,
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
  tb: 2 ** 40,
};

/** A plain decimal number of at most 2^53 − 1, or undefined: signs, blanks, fractions and exponents are not plain. */
export function parseDecimal(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The bytes that one unit of `byte * 2^20`, `MegaBytes` and the like stands for; undefined for any other unit. */
export function parseByteUnit(text: string): number | undefined {
  const unit = text.trim();
  const named = Object.hasOwn(NAMED, unit.toLowerCase()) ? NAMED[unit.toLowerCase()] : undefined;
  if (named !== undefined) return named;
  const { factors } = PROGRAMMATIC.exec(unit)?.groups ?? {};
  if (factors === undefined) return undefined;
  let bytes = 1;
  for (const { groups: { base, exponent } = {} } of factors.matchAll(FACTOR)) {
    bytes *= Number(base) ** Number(exponent ?? 1);
  }
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
