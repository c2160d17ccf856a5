export { LOCAL_OPERATOR } from './http/authenticate.js';
export type { AnswerHold, HoldAnswer, HoldAnswered } from './answer.port.js';
export { type Console, type ConsoleOptions, createConsole } from './create-console.js';
export { CONSOLE_LIMITS, type ConsoleLimits } from './limits.js';
export type { ProjectionsPort, ProjectionsStatus } from './projections.port.js';
export type { RebuildState } from './api/projections.controller.js';
export type { PolicyInfo, ResourceInfo } from './services.js';
export type {
  ConsoleStore,
  HoldFilter,
  LeaseFilter,
  Page,
  PageQuery,
  PrincipalRow,
  RevocationFilter,
  SessionFilter,
  StoredEvent,
} from './store.port.js';
export type { EdgeConfirmation, RevocationView } from './revocation-view.js';
export type { ApprovalView, LeaseView, PrincipalView, RunView, SessionView } from './views.js';
