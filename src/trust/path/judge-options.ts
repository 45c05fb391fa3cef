import type { Certificate } from '../../crypto/certificate.ts';
import type { Allowances, Finding } from '../policy.ts';
import type { Budget } from './budget.ts';
import type { Purpose } from './purposes.ts';

/** What the relying party asks of certificate policies (RFC 5280 section 6.1.1 (c), (e), (f), (g)); nothing when empty. */
export interface PolicyInputs {
  /** OIDs, one of which the path must be issued under; absent: any */
  readonly initial?: readonly string[];
  /** whether the path must be issued under some policy at all */
  readonly explicit?: boolean;
  readonly inhibitMapping?: boolean;
  readonly inhibitAny?: boolean;
}

/** From when to when certificates must be valid; both the same moment when nothing but the clock tells the time. */
export interface TimeWindow {
  readonly from: Date;
  readonly to: Date;
}

/** When, for what, and with how much leniency certificates are judged. */
export interface JudgeOptions {
  readonly window: TimeWindow;
  readonly allowances: Allowances;
  readonly purpose: Purpose;
  /** refuse what issuers get wrong without harm, too */
  readonly strict?: boolean;
}

/** What a path may end at, what it must keep to, and what it may cost. */
export interface PathOptions extends JudgeOptions {
  readonly anchors: readonly Certificate[];
  /** between leaf and anchor, self-issued ones not counted */
  readonly maxIntermediates?: number;
  readonly policies?: PolicyInputs;
  /** shared between the searches of one run */
  readonly budget?: Budget;
  /** judges a path that is good otherwise, such as by revocation; what it refuses makes the search go on */
  readonly judgeMore?: (path: readonly Certificate[]) => readonly Finding[];
}
