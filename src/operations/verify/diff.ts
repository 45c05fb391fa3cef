import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { shape } from '../../kit/shape.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import { READING } from '../../verdict/judging-rules.ts';
import { makeReport, type Report } from '../../verdict/report/report.ts';
import { bundleInput } from '../option-rules.ts';
import { type Inspection, type InspectReport, inspect } from './inspect.ts';
import type { VerifyOptions } from './options.ts';

/** One thing in which two bundles differ; a side is absent where the bundle does not have it. */
export interface Difference {
  readonly kind: 'member' | 'descriptor' | 'signer';
  /** the member's name, or the field, such as `system web: memory` */
  readonly what: string;
  readonly a?: string;
  readonly b?: string;
}

/** What a comparison found. `packing` says in what the archives differ although the bundles need not. */
export interface Comparison {
  readonly same: boolean;
  readonly differences: readonly Difference[];
  readonly packing: readonly string[];
}

/** The comparison, and what was compared by name. */
export interface DiffResult extends Comparison {
  readonly a: string;
  readonly b: string;
}

/** The report of `diff`. */
export type DiffReport = Report<'diff', DiffResult>;

/** How two bundles are compared. */
export type DiffOptions = Pick<VerifyOptions, 'limits' | 'signal' | 'deadlineMs' | 'onProgress'>;

/**
 * Compares two bundles: members by size and SHA-256, descriptors by field, and who claims to have signed.
 *
 * It verifies neither. Order and container make no difference; they are told apart.
 *
 * @throws {BundleError} when an input cannot be opened
 * @see spec/bundle.md, clauses diff.1 to diff.3
 */
export async function diff(
  a: BundleInput,
  b: BundleInput,
  options: DiffOptions = {},
): Promise<{ readonly report: DiffReport; readonly comparison?: Comparison }> {
  const inputs = [bundleInput(a, 'a'), bundleInput(b, 'b')] as const;
  return diffGiven(...inputs, diffOptions(options, ''));
}

const { relax: _, inner: __, ...DIFFING } = READING;
const diffOptions = shape<DiffOptions>(DIFFING);

async function diffGiven(
  a: BundleInput,
  b: BundleInput,
  options: DiffOptions,
): Promise<{ readonly report: DiffReport; readonly comparison?: Comparison }> {
  if (a === '-' && b === '-') {
    throw new BundleError('USAGE', 'standard input cannot be both bundles', {
      fix: 'give the name of one of them',
    });
  }
  const first = await inspect(a, options);
  if (first.report.exitCode !== 0) return { report: renamed(first.report) };
  const second = await inspect(b, options);
  if (second.report.exitCode !== 0) return { report: renamed(second.report) };
  const differences = [
    ...memberDifferences(first.report, second.report),
    ...fieldDifferences('descriptor', fieldsOf(first.inspection), fieldsOf(second.inspection)),
    ...fieldDifferences('signer', signerOf(first.inspection), signerOf(second.inspection)),
  ];
  const comparison: Comparison = {
    same: differences.length === 0,
    differences,
    packing: packingDifferences(first.report, second.report),
  };
  const [nameA, nameB] = [first.report.input?.name ?? '', second.report.input?.name ?? ''];
  const message = `"${nameA}" and "${nameB}" differ in ${differences.length} ${differences.length === 1 ? 'thing' : 'things'}`;
  const report = makeReport({
    operation: 'diff',
    errors: comparison.same ? [] : [new BundleError('BUNDLES_DIFFER', message)],
    warnings: ['NOT VERIFIED: diff checks no signature'],
    result: { a: nameA, b: nameB, ...comparison },
  });
  return { report, comparison };
}

/** An input that cannot be compared: what `inspect` says of it. */
function renamed({ result: _, ...report }: InspectReport): DiffReport {
  return { ...report, operation: 'diff', warnings: [] };
}

function memberDifferences(a: Report, b: Report): Difference[] {
  const ofA = describeMembers(a);
  const ofB = describeMembers(b);
  return fieldDifferences('member', ofA, ofB);
}

function describeMembers({ files }: Report): ReadonlyMap<string, string> {
  return new Map(
    files.map(({ name, size, actual }) => [name, `${counted(size ?? 0, 'byte')}, sha256:${actual}`]),
  );
}

function fieldDifferences(
  kind: Difference['kind'],
  ofA: ReadonlyMap<string, string>,
  ofB: ReadonlyMap<string, string>,
): Difference[] {
  return [...new Set([...ofA.keys(), ...ofB.keys()])].flatMap((what) => {
    const [a, b] = [ofA.get(what), ofB.get(what)];
    if (a === b) return [];
    return [{ kind, what, ...(a !== undefined && { a }), ...(b !== undefined && { b }) }];
  });
}

/** What a descriptor says of the machine, one line a field. [diff.2] */
function fieldsOf(inspection: Inspection): ReadonlyMap<string, string> {
  const descriptor = inspection.kind === 'ovf' ? inspection.descriptor : undefined;
  const fields = new Map<string, string>();
  const put = (field: string, value: string | number | undefined): void => {
    if (value !== undefined) fields.set(field, String(value));
  };
  if (!descriptor) return fields;
  put('OVF version', descriptor.version);
  put('name', descriptor.name);
  descriptor.products.forEach(({ name, vendor, version, fullVersion }, i) => {
    const which = i === 0 ? 'product' : `product ${i + 1}`;
    put(which, name);
    put(`${which}: vendor`, vendor);
    put(`${which}: version`, [version, fullVersion].filter(Boolean).join(', ') || undefined);
  });
  for (const { id, name, cpus, memoryMiB, operatingSystem } of descriptor.systems) {
    put(`system ${id}`, name ?? id);
    put(`system ${id}: processors`, cpus);
    put(`system ${id}: memory`, memoryMiB === undefined ? undefined : `${memoryMiB} MiB`);
    put(`system ${id}: operating system`, operatingSystem);
  }
  for (const { id, href, size, compression, chunkSize } of descriptor.references) {
    put(`file ${id}`, href);
    put(`file ${id}: size`, size);
    put(`file ${id}: compression`, compression);
    put(`file ${id}: chunk size`, chunkSize);
  }
  for (const { id, fileId, capacity, format } of descriptor.disks) {
    put(`disk ${id}: file`, fileId);
    put(`disk ${id}: capacity`, capacity);
    put(`disk ${id}: format`, format);
  }
  return fields;
}

function signerOf(inspection: Inspection): ReadonlyMap<string, string> {
  if (inspection.kind === 'none' || !inspection.claimedSigner) return new Map();
  const { subject, issuer, key, notBefore, notAfter, fingerprint } = inspection.claimedSigner;
  return new Map([
    ['subject', subject],
    ['issuer', issuer],
    ['key', key],
    ['valid', `${notBefore} to ${notAfter}`],
    ['certificate', `sha256:${fingerprint}`],
  ]);
}

function packingDifferences(a: Report, b: Report): string[] {
  const notes: string[] = [];
  if (a.input?.format !== b.input?.format) notes.push(`container: ${a.input?.format} and ${b.input?.format}`);
  const common = (report: Report, other: Report): string[] => {
    const names = new Set(other.files.map(({ name }) => name));
    return report.files.map(({ name }) => name).filter((name) => names.has(name));
  };
  const [inA, inB] = [common(a, b), common(b, a)];
  if (inA.some((name, i) => inB[i] !== name)) notes.push('order of the members');
  return notes;
}
