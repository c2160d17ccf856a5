import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rebuilds that were asked for, the last ones: no fold of the log, but whoever asks any replica has to see the same. */
export class Rebuilds1767398400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { schema } = runner.dataSource.options as { schema: string };
    await runner.query(
      `CREATE TABLE "${schema}".rebuilds (
        id text PRIMARY KEY, started timestamptz NOT NULL, ended timestamptz, failure text)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    const { schema } = runner.dataSource.options as { schema: string };
    await runner.query(`DROP TABLE "${schema}".rebuilds`);
  }
}
