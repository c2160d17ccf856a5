import { type DynamicModule, Module } from '@nestjs/common';
import { ApprovalsController } from './api/approvals.controller.js';
import { EventsController } from './api/events.controller.js';
import { ListsController } from './api/lists.controller.js';
import { ProjectionsController } from './api/projections.controller.js';
import { RevocationsController } from './api/revocations.controller.js';
import { SessionsController } from './api/sessions.controller.js';
import { LiveStreams } from './live/streams.js';
import { type ConsoleServices, SERVICES } from './services.js';

/** Binds the controllers to what they work with. */
@Module({})
export class ConsoleModule {
  static of(services: ConsoleServices, streams: LiveStreams): DynamicModule {
    return {
      module: ConsoleModule,
      controllers: [
        SessionsController,
        ApprovalsController,
        ListsController,
        RevocationsController,
        ProjectionsController,
        EventsController,
      ],
      providers: [
        { provide: SERVICES, useValue: services },
        { provide: LiveStreams, useValue: streams },
      ],
    };
  }
}
