import type { PostgresOperation } from '@sallyport/operation';
import type { Exchange, Exchanges } from './exchanges.js';
import type { Flight } from './flight.js';
import { Names } from './names.js';
import type { Portal } from './portal.js';
import { type Asked, fetchFrom, type Prepared } from './statements.js';

export interface NameLimits {
  readonly maxPreparedStatements: number;
  readonly maxPortals: number;
}

/** What the prepared statements and portals of one session may stand for, by protocol and by SQL, which share their names at the target. */
export class SessionNames {
  readonly statements: Names<Prepared>;
  readonly portals: Names<Portal>;

  constructor(
    limits: NameLimits,
    private readonly exchanges: Exchanges<Flight>,
    private readonly operationOf: (text: string) => PostgresOperation,
    /** Told of each portal that is gone, or that the target may have put another in place of. */
    private readonly abandoned: (portal: Portal) => void,
  ) {
    this.statements = new Names(limits.maxPreparedStatements);
    this.portals = new Names(limits.maxPortals, abandoned);
  }

  /** What a prepared statement's name may stand for in a message that is sent now. */
  prepared(name: string): readonly Prepared[] {
    return this.statements.of(name, this.exchanges.lastSync);
  }

  /** What a portal's name may stand for in a message that is sent now. */
  bound(name: string): readonly Portal[] {
    return this.portals.of(name, this.exchanges.lastSync);
  }

  /** What an Execute asks of a portal that no Bind made: a cursor that SQL declared. */
  cursor(name: string): Prepared {
    const text = fetchFrom(name);
    return { operation: this.operationOf(text), text, parameterTypes: [] };
  }

  /** What the protocol knows by a name that SQL can use too. */
  ofProtocol(kind: 'prepared' | 'cursor', name: string): readonly Prepared[] {
    const all = kind === 'prepared' ? this.prepared(name) : this.bound(name).flatMap(({ prepared }) => prepared);
    return all.filter(({ bySql }) => !bySql);
  }

  /**
   * Names that SQL itself makes and drops (PREPARE, DEALLOCATE, DISCARD, DECLARE, CLOSE), as they will be if the target does it.
   * `own` is what the agent's text says itself, without what its EXECUTEs run. Undefined when there would be too many names.
   */
  bySql(asked: Asked, own: PostgresOperation['statements']): Pick<Exchange<Flight>, 'confirm' | 'reject'> | undefined {
    const { statements, portals } = this;
    const done: (() => void)[] = [];
    const failed: (() => void)[] = [];
    const made = <T>(names: Names<T>, name: string, value: T): boolean => {
      if (!names.propose(name, value, 0)) return false;
      done.push(() => names.confirm(name, value));
      // In a string that fails, what stands before the failure stays prepared.
      if (own.length === 1) failed.push(() => names.reject(name, value));
      return true;
    };
    const dropped = <T>(names: Names<T>, name: string | undefined): void => {
      const before = name === undefined ? [] : names.of(name);
      done.push(name === undefined ? names.closing() : () => names.closed(name, before));
    };
    for (const { kind, name } of own) {
      if (kind === 'prepare' && name !== undefined) {
        if (!made(statements, name, { ...asked, bySql: true })) return undefined;
      } else if (kind === 'deallocate') {
        dropped(statements, name);
      } else if (kind === 'discard' && name === 'all') {
        dropped(statements, undefined);
      } else if (kind === 'close') {
        this.#mayChange(name);
        dropped(portals, name);
      } else if (kind === 'declare_cursor' && name !== undefined && portals.of(name).length > 0) {
        this.#mayChange(name);
        if (!made(portals, name, { prepared: [{ ...this.cursor(name), bySql: true }], parameters: [] })) return undefined;
      }
    }
    return { confirm: () => done.forEach((one) => one()), reject: () => failed.forEach((one) => one()) };
  }

  /** SQL may put another cursor in the portal's place: its next Execute is judged and described anew. */
  #mayChange(name: string | undefined): void {
    for (const portal of name === undefined ? [...this.portals.values()] : this.portals.of(name)) this.abandoned(portal);
  }
}
