import { keyText } from '@sallyport/projections';
import type { AcknowledgementRow, RevocationRow, ServiceRow } from '@sallyport/projections';
import { ACKNOWLEDGEMENTS, REVOCATIONS, SERVICES } from '../entities.js';
import { answered, newestFirst } from './page.js';
import type { Page, PageRequest, Reading } from './page.js';

export interface RevocationFilter extends PageRequest {
  readonly kind?: RevocationRow['kind'];
  /** Subject. */
  readonly principal?: string;
  readonly session?: string;
}

export function revocations(reading: Reading, filter: RevocationFilter): Promise<Page<RevocationRow>> {
  const { kind, principal, session } = filter;
  return newestFirst(reading, REVOCATIONS, { time: 'revoked', id: 'id' }, filter, (query) => {
    if (kind !== undefined) query.andWhere('row.kind = :kind', { kind });
    if (principal !== undefined) query.andWhere('row.subject = :principal', { principal: keyText(principal) });
    if (session !== undefined) query.andWhere('row.session = :session', { session: keyText(session) });
  });
}

export async function revocation({ dataSource }: Reading, id: string): Promise<RevocationRow | null> {
  return answered(dataSource.getRepository(REVOCATIONS.entity).findOneBy({ id: keyText(id) }));
}

/** By revocation and edge. */
export async function acknowledgements({ dataSource }: Reading, of: readonly string[]): Promise<readonly AcknowledgementRow[]> {
  if (of.length === 0) return [];
  const query = dataSource
    .getRepository(ACKNOWLEDGEMENTS.entity)
    .createQueryBuilder('row')
    .where('row.revocation = ANY(:of)', { of: of.map(keyText) })
    .orderBy('row.revocation')
    .addOrderBy('row.edge');
  return answered(query.getMany());
}

/** Every service that has ever announced itself, by name. */
export async function services({ dataSource }: Reading): Promise<readonly ServiceRow[]> {
  return answered(dataSource.getRepository(SERVICES.entity).find({ order: { name: 'ASC' } }));
}
