/** Where a packed bundle goes. Nothing stands under the final name before `commit`; disposing without it leaves nothing. */
export interface Output extends AsyncDisposable {
  /** names of what runs for this file had left beside it that are gone; it has been removed */
  readonly swept: readonly string[];
  /** takes the next bytes; they must stay as they are until the next call has returned */
  write(chunk: Uint8Array): Promise<void>;
  /** writes again what stands at `offset`; only where that was asked for */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
  commit(): Promise<void>;
}
