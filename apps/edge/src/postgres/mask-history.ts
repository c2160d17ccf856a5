import type { MaskRule, Verdict } from '@sallyport/verdict';

/**
 * What masks a session has lived under. What it made while it saw more (a temporary table, a view of its own, a prepared name, a cursor)
 * can't be told from the outside, so masks that another revision adds can't be kept in it: the session has to end. Within one revision
 * masks are as that policy wants them, for each operation.
 */
export class MaskHistory {
  #revision: string | undefined;
  /** Masks that every verdict of this revision had. */
  #here: ReadonlySet<string> = new Set();
  /** Masks that every verdict of the revisions before had; undefined when there was none before. */
  #before: ReadonlySet<string> | undefined;

  /** Takes note of a verdict that something may run under. False when it masks more than what may have run under another revision. */
  covers({ revision, masks }: Pick<Verdict, 'revision' | 'masks'>): boolean {
    const asked = new Set(masks.map(keyOf));
    if (this.#revision === undefined) this.#here = asked;
    else if (this.#revision === revision) this.#here = both(this.#here, asked);
    else {
      this.#before = this.#before === undefined ? this.#here : both(this.#before, this.#here);
      this.#here = asked;
    }
    this.#revision = revision;
    const { size } = asked;
    return this.#before === undefined || both(this.#before, asked).size === size;
  }
}

/** Another way of masking counts as another mask. */
function keyOf({ column, with: way }: MaskRule): string {
  return `${way} ${column}`;
}

function both(one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...one].filter((key) => other.has(key)));
}
