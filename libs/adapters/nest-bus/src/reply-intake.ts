import type { BusRecord } from '@sallyport/bus';
import { type Roster, signerOf, type Unsigned } from '@sallyport/trust';
import { SERVICE_ROLES } from './service-roles.js';
import { decodeReplies, type RequestService, type WireReply } from './wire.js';

/** Why a reply, or a record of them, was ignored. */
export type DistrustedReply =
  | Unsigned
  | 'too-large'
  | 'malformed'
  /** Its signer is enrolled, and not for answering such requests. */
  | 'wrong-role'
  /** It answers somebody else: another service, or another client of this one. */
  | 'not-ours'
  /** Nobody waits for it: a copy, the second answer to a request that was sent twice, or one that came too late. */
  | 'nobody-waits';

export interface ReplyIntakeOptions {
  readonly roster: Roster;
  readonly service: RequestService;
  readonly client: string;
  /** The name of the service that asks. */
  readonly name: string;
  readonly maxRecordBytes: number;
  /** False when nobody waits for it. */
  onReply(server: string, reply: WireReply): boolean;
  onDistrusted(reason: DistrustedReply, record: BusRecord): void;
}

/** Decides which replies are believed. Never throws. */
export class ReplyIntake {
  constructor(private readonly options: ReplyIntakeOptions) {}

  take(record: BusRecord): void {
    const { roster, service, client, name, maxRecordBytes, onReply, onDistrusted } = this.options;
    // Other clients' replies are on the same partition: they cost nothing.
    if (record.key !== client) return;
    if (record.value.length > maxRecordBytes) return onDistrusted('too-large', record);
    const signed = signerOf(roster, record);
    if (!signed.ok) return onDistrusted(signed.reason, record);
    if (signed.service.role !== SERVICE_ROLES[service]) return onDistrusted('wrong-role', record);
    const replies = decodeReplies(record.value);
    if (!replies) return onDistrusted('malformed', record);
    if (replies.client !== client || replies.to !== name) return onDistrusted('not-ours', record);
    for (const reply of replies.replies) if (!onReply(replies.server, reply)) onDistrusted('nobody-waits', record);
  }
}
