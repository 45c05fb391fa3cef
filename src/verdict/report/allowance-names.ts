import type { Relaxation } from '../../kit/relaxation.ts';

/** What was given up, as the report lists it: each allowance by its name, each habit of producers as `relax:NAME`. [relax.1] */
export function allowanceNames<Given extends Readonly<Record<keyof Given, boolean>>>(
  given: Given,
  relax: readonly Relaxation[] = [],
): readonly string[] {
  const names = Object.keys(given) as (keyof Given & string)[];
  return [...names.filter((name) => given[name]), ...relax.map((name) => `relax:${name}`)];
}
