import { type DynamicModule, Module } from '@nestjs/common';
import { CHECKPOINT_PORTS, Checkpoints } from './checkpoints.js';
import { Ingest, INGEST_PORTS, PROJECTED_TOPICS } from './ingest.js';
import type { IngestPorts } from './ingest.js';
import type { CheckpointPorts } from './log-checkpoints.js';
import { ModelStatus } from './model-status.js';
import { type ProjectionsAsked, PROJECTIONS_ASKED, ProjectionsController } from './projections.controller.js';
import { projectorStatus } from './status.js';

@Module({})
export class ProjectorModule {
  static with(ports: IngestPorts, checkpoints: CheckpointPorts): DynamicModule {
    const model = new ModelStatus({ ...ports, topics: PROJECTED_TOPICS });
    const asked = (ingest: Ingest, signing: Checkpoints): ProjectionsAsked => ({
      status: () => projectorStatus(model, ingest, signing),
      beginRebuild: (id) => ingest.rebuilds.begin(id),
    });
    return {
      module: ProjectorModule,
      controllers: [ProjectionsController],
      providers: [
        { provide: INGEST_PORTS, useValue: ports },
        { provide: CHECKPOINT_PORTS, useValue: checkpoints },
        Ingest,
        Checkpoints,
        { provide: PROJECTIONS_ASKED, useFactory: asked, inject: [Ingest, Checkpoints] },
      ],
    };
  }
}
