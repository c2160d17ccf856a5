/** Somebody's answer to a hold, as the decision service takes it. The token is theirs: the console isn't believed. */
export interface HoldAnswer {
  readonly hold: string;
  /** Session and operation hash of what they were shown: an answer to anything else is none. */
  readonly session: string;
  readonly hash: string;
  readonly answer: 'grant' | 'deny';
  readonly comment?: string;
  readonly token: string;
}

export type HoldAnswered =
  | { readonly ok: true; readonly hold: string; readonly by: string; readonly given: number; readonly needed: number }
  | { readonly ok: false; readonly code: 'TOKEN' | 'NO_SUCH_HOLD' | 'NOT_ALLOWED' | 'GIVEN_ALREADY'; readonly message: string };

export type AnswerHold = (answer: HoldAnswer) => Promise<HoldAnswered>;
