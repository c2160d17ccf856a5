import type { StringPlan } from '@sallyport/masking';
import type { Cleared, Planned } from '@sallyport/session';
import type { Flight } from './flight.js';
import type { Prepared } from './statements.js';

/** A portal: a prepared statement bound to its parameters, and the operation it became once it was judged. */
export interface Portal {
  /** More than one while it isn't certain what the statement's name stands for. */
  readonly prepared: readonly Prepared[];
  readonly parameters: readonly (string | null)[];
  /**
   * How its result is masked, and under which policy: names mean what they meant at Bind, whatever the search_path is by the time
   * of its Execute.
   */
  bound?: { readonly revision: string; readonly planned: Planned<StringPlan> };
  /** Judged, recorded and approved at Bind already, waiting for its Execute. */
  cleared?: Extract<Cleared<StringPlan>, { cleared: true }>;
  /** Set from its first Execute on. */
  flight?: Flight;
}
