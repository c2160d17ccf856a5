import type { Bus } from '@sallyport/bus';
import type { SigningKey, VerifierKey } from '@sallyport/events';
import type { AnnouncedServices } from '@sallyport/trust';
import type { Engine } from '@sallyport/verdict';
import type { AnswerHold } from './answer.port.js';
import type { Exporter } from './export/exporter.js';
import type { ConsoleLimits } from './limits.js';
import type { LiveFeed } from './live/feed.js';
import type { ProjectionsPort } from './projections.port.js';
import type { ConsoleStore } from './store.port.js';

/** A resource as people may see it: no address of a credential, no secret. */
export interface ResourceInfo {
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly audit: { readonly mode: string; readonly durability: string; readonly record: string };
}

export interface PolicyInfo {
  /** Of the publication; 0 is the configured policy. */
  readonly number: number;
  /** Hex SHA-256 over bundle and grants. */
  readonly revision: string;
  /** Paths of the default rules. */
  readonly rules: readonly string[];
  readonly grants: readonly { readonly name: string; readonly rulesOff: boolean }[];
  /** Version of opa that compiled it. */
  readonly opa: string;
}

/** What the controllers work with. */
export interface ConsoleServices {
  readonly store: ConsoleStore;
  readonly bus: Bus;
  readonly key: SigningKey;
  readonly announced: AnnouncedServices;
  readonly engine: Engine;
  readonly answer: AnswerHold;
  readonly feed: LiveFeed;
  readonly exporter: Exporter;
  readonly verifierKeys: () => Promise<readonly VerifierKey[]>;
  readonly resources: readonly ResourceInfo[];
  readonly policy: () => PolicyInfo;
  readonly projections: ProjectionsPort | undefined;
  readonly limits: ConsoleLimits;
  readonly nowMs: () => number;
}

/** Nest's token for {@link ConsoleServices}. */
export const SERVICES = Symbol('SERVICES');
