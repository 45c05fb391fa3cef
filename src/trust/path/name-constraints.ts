import type { Certificate } from '../../crypto/certificate.ts';
import type { GeneralName } from '../../formats/x509/general-name.ts';
import type { Finding } from '../policy.ts';
import type { Budget } from './budget.ts';
import { constraint, refused, shown } from './findings.ts';
import { isWellFormed, standingOf } from './name-matching.ts';

/** The name constraints on the way down from an anchor (RFC 5280 section 6.1.1 (h), (i)). */
export interface NameConstraintState {
  /** Takes what an issuer, the anchor too, demands of those below it. [nc.7] */
  readonly add: (issuer: Certificate) => readonly Finding[];
  /** What is wrong with the names of a certificate. */
  readonly check: (certificate: Certificate) => readonly Finding[];
}

/** No constraints yet. Comparisons are taken from the budget; when it is used up, the path is refused with `NAME_LIMIT`. [nc.6] */
export function openNameConstraints(budget: Budget): NameConstraintState {
  /** one list for each issuer that permits: a name must be in a subtree of each that speaks of its kind */
  const permitted: ByKind[] = [];
  const excluded: ByKind[] = [];

  const problemWith = (name: GeneralName): string | undefined => {
    for (const base of excluded.flatMap((bases) => comparableWith(name, bases))) {
      if (!budget.spend('names')) return LIMIT;
      const standing = standingOf(name, base);
      if (standing === 'unclear')
        return `has the name ${show(name)}, which cannot be compared with the name constraints above it`;
      if (standing !== 'outside')
        return `has the name ${show(name)}, which the name constraints above it exclude`;
    }
    for (const bases of permitted) {
      const comparable = comparableWith(name, bases);
      if (comparable.length === 0) continue;
      if (!budget.spend('names', comparable.length)) return LIMIT;
      const standings = comparable.map((base) => standingOf(name, base));
      if (standings.includes('unclear'))
        return `has the name ${show(name)}, which cannot be compared with the name constraints above it`;
      if (!standings.includes('inside'))
        return `has the name ${show(name)}, which the name constraints above it do not permit`;
    }
    return undefined;
  };

  return {
    add: (issuer) => {
      const { nameConstraints } = issuer.fields.extensions;
      if (!nameConstraints) return [];
      if (nameConstraints.permitted.length > 0) permitted.push(byKind(nameConstraints.permitted));
      if (nameConstraints.excluded.length > 0) excluded.push(byKind(nameConstraints.excluded));
      const bases = [...nameConstraints.permitted, ...nameConstraints.excluded];
      // [nc.2] what is malformed may have been meant for more than it says
      const malformed = bases.find((base) => !isWellFormed(base));
      return malformed ? [constraint(issuer, `has the malformed name constraint ${show(malformed)}`)] : [];
    },
    check: (certificate) => {
      if (permitted.length === 0 && excluded.length === 0) return [];
      for (const name of namesOf(certificate)) {
        const problem = problemWith(name);
        if (problem === LIMIT) return [refused('NAME_LIMIT', LIMIT)];
        if (problem) return [constraint(certificate, problem)];
      }
      return [];
    },
  };
}

const LIMIT = 'the names of the certificates would take too many comparisons with name constraints';

/** Bases by what they can be compared with; else ten thousand names would look at ten thousand bases of another kind. */
type ByKind = ReadonlyMap<string, readonly GeneralName[]>;

function byKind(bases: readonly GeneralName[]): ByKind {
  const sorted = new Map<string, GeneralName[]>();
  for (const base of bases) {
    const known = sorted.get(kindOf(base));
    if (known) known.push(base);
    else sorted.set(kindOf(base), [base]);
  }
  return sorted;
}

/** A constraint of one kind says nothing about names of another. */
function comparableWith(name: GeneralName, bases: ByKind): readonly GeneralName[] {
  return bases.get(kindOf(name)) ?? [];
}

function kindOf(name: GeneralName): string {
  return name.kind === 'other' ? `other ${name.tag}` : name.kind;
}

/** [nc.3] [nc.5] The subject and the alternative names; an e-mail address in the subject counts beside others, too. */
function namesOf({ fields }: Certificate): readonly GeneralName[] {
  const alternative = fields.extensions.subjectAltName ?? [];
  const subject: GeneralName[] =
    fields.subject.rdns.length > 0 ? [{ kind: 'directory', value: fields.subject }] : [];
  const legacy = fields.subject.attributes
    .filter(({ type }) => type === 'emailAddress')
    .map(({ value }): GeneralName => ({ kind: 'email', value }));
  return [...subject, ...legacy, ...alternative];
}

function show(name: GeneralName): string {
  switch (name.kind) {
    case 'directory':
      return `"${shown(name.value.text)}"`;
    case 'ip':
      return `${[...name.value].join('.')} (IP address)`;
    case 'other':
      return `of kind ${name.tag & 0x1f}`;
    default:
      return `"${shown(name.value)}" (${name.kind})`;
  }
}
