import { type DynamicModule, Module } from '@nestjs/common';
import { CHECKPOINT_PORTS, Checkpoints } from './checkpoints.js';
import { Ingest, INGEST_PORTS } from './ingest.js';
import type { CheckpointPorts } from './log-checkpoints.js';
import type { IngestPorts } from './topic-ingest.js';

@Module({})
export class ProjectorModule {
  static with(ingest: IngestPorts, checkpoints: CheckpointPorts): DynamicModule {
    return {
      module: ProjectorModule,
      providers: [{ provide: INGEST_PORTS, useValue: ingest }, { provide: CHECKPOINT_PORTS, useValue: checkpoints }, Ingest, Checkpoints],
    };
  }
}
