/** How far an operation is: bytes of the input handled so far, of `total` when that is known, and the member at hand. */
export interface ProgressEvent {
  readonly phase: 'read' | 'hash' | 'write';
  readonly bytes: number;
  readonly total?: number;
  readonly member?: string;
}

/** Told now and then, at least once a second while bytes flow; it must return at once. */
export type OnProgress = (event: ProgressEvent) => void;
