import { OidcError } from './errors.js';
import { fetchJson } from './fetch-json.js';
import { chooseKey, type IssuerKey, type KeySet, readKeySet } from './key-set.js';
import { checkedUrl, type OidcLimits, type OidcProviderOptions } from './options.js';

export type FoundKey =
  | { readonly ok: true; readonly key: IssuerKey }
  | { readonly ok: false; readonly reason: 'unknown-key' | 'other-algorithm' | 'unreachable' };

/**
 * The keys of one issuer: fetched when first needed, once for everybody who waits, and again
 * - in the background, when they are half as old as they may get, so that nobody waits for a slow issuer whose keys are known;
 * - for an unknown key id, at most once in `keysRefetchIntervalMs`;
 * - in the foreground, when they are too old to be trusted (a withdrawn key dies then, even if the issuer is away).
 */
export class IssuerKeys {
  private set: KeySet | undefined;
  private underWay: Promise<boolean> | undefined;
  private jwksUri: URL | undefined;
  /** How many fetches have been started. */
  private started = 0;
  private unknownKeyFetchAtMs = -Infinity;
  private failedAtMs = -Infinity;
  private waiters = 0;
  private readonly closing = new AbortController();

  constructor(
    private readonly provider: OidcProviderOptions,
    private readonly limits: OidcLimits,
    private readonly now: () => number,
  ) {}

  /** Never rejects. Waits for the issuer at most `issuerTimeoutMs`, and not at all when the key is known. */
  async find(keyId: string | undefined, algorithm: string, signal?: AbortSignal): Promise<FoundKey> {
    const startedBefore = this.started;
    if (!this.current()) {
      if (!(await this.fetched(this.limits.issuerRetryMs, signal))) return { ok: false, reason: 'unreachable' };
    } else {
      this.refreshInBackground();
    }
    let choice = chooseKey(this.current() ?? EMPTY, keyId, algorithm);
    if (choice.found === 'none' && this.mayFetchForUnknownKey(startedBefore)) {
      if (!this.underWay) this.unknownKeyFetchAtMs = this.now();
      if (!(await this.fetched(0, signal))) return { ok: false, reason: 'unreachable' };
      choice = chooseKey(this.current() ?? EMPTY, keyId, algorithm);
    }
    if (choice.found === 'key') return { ok: true, key: choice.key };
    return { ok: false, reason: choice.found === 'none' ? 'unknown-key' : 'other-algorithm' };
  }

  /** Whether a key that verified something earlier still stands. */
  stands(thumbprint: string): boolean {
    const set = this.current();
    if (!set?.thumbprints.has(thumbprint)) return false;
    this.refreshInBackground();
    return true;
  }

  close(): void {
    this.closing.abort(new OidcError('OIDC_CLOSED', 'closed'));
    this.set = undefined;
  }

  private current(): KeySet | undefined {
    const isFresh = this.set !== undefined && this.since(this.set.requestedAtMs) < this.limits.keysMaxAgeMs;
    return isFresh ? this.set : undefined;
  }

  /** A clock that was set back must not make old keys young: then everything is as old as can be. */
  private since(momentMs: number): number {
    const ageMs = this.now() - momentMs;
    return ageMs < 0 ? Infinity : ageMs;
  }

  private refreshInBackground(): void {
    const isDue = this.set !== undefined && this.since(this.set.requestedAtMs) >= this.limits.keysMaxAgeMs / 2;
    const mayRetry = this.since(this.failedAtMs) >= this.limits.issuerRetryMs;
    if (isDue && mayRetry && !this.underWay) void this.startFetch();
  }

  private mayFetchForUnknownKey(startedBefore: number): boolean {
    if (this.underWay) return true;
    // What was fetched since this sign-in came needs no second look.
    if (this.started > startedBefore) return false;
    return this.since(this.unknownKeyFetchAtMs) >= this.limits.keysRefetchIntervalMs;
  }

  /** Joins the fetch that is under way, or starts one. False: it failed, took too long, or too many wait already. */
  private async fetched(retryMs: number, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted || this.closing.signal.aborted || this.waiters >= this.limits.maxIssuerWaiters) return false;
    if (!this.underWay && this.since(this.failedAtMs) < retryMs) return false;
    this.waiters++;
    let giveUp: () => void = () => undefined;
    const givenUp = new Promise<false>((resolve) => {
      giveUp = () => resolve(false);
    });
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([this.underWay ?? this.startFetch(), givenUp]);
    } finally {
      signal?.removeEventListener('abort', giveUp);
      this.waiters--;
    }
  }

  private startFetch(): Promise<boolean> {
    this.started++;
    this.underWay = this.fetchKeys(this.now()).then(
      (set) => {
        this.set = set;
        this.underWay = undefined;
        return true;
      },
      () => {
        this.failedAtMs = this.now();
        this.jwksUri = undefined;
        this.underWay = undefined;
        return false;
      },
    );
    return this.underWay;
  }

  private async fetchKeys(requestedAtMs: number): Promise<KeySet> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new OidcError('OIDC_FETCH', 'the issuer took too long')), this.limits.issuerTimeoutMs);
    const signal = AbortSignal.any([this.closing.signal, timeout.signal]);
    try {
      this.jwksUri ??= await this.discover(signal);
      const document = await fetchJson(this.jwksUri, this.limits.issuerResponseMaxBytes, signal);
      const set = await readKeySet(document, requestedAtMs, this.limits.maxIssuerKeys);
      signal.throwIfAborted();
      return set;
    } finally {
      clearTimeout(timer);
    }
  }

  /** OpenID Connect Discovery 1.0 sections 4.1 and 4.3. */
  private async discover(signal: AbortSignal): Promise<URL> {
    const { issuer, jwksUri } = this.provider;
    if (jwksUri !== undefined) return checkedUrl(jwksUri, 'jwksUri');
    const at = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    const document = await fetchJson(at, this.limits.issuerResponseMaxBytes, signal);
    if (document['issuer'] !== issuer) throw new OidcError('OIDC_DISCOVERY', 'the discovery document names another issuer');
    const found = document['jwks_uri'];
    if (typeof found !== 'string') throw new OidcError('OIDC_DISCOVERY', 'the discovery document names no jwks_uri');
    const url = checkedUrl(found, 'jwks_uri');
    // A remote issuer has no business at an address of this machine.
    if (new URL(issuer).protocol === 'https:' && url.protocol !== 'https:') {
      throw new OidcError('OIDC_DISCOVERY', 'jwks_uri must be https like its issuer');
    }
    return url;
  }
}

const EMPTY: KeySet = { requestedAtMs: -Infinity, keys: [], thumbprints: new Set() };
