import { readJsonObject } from '@sallyport/identity';
import { OidcError } from './errors.js';

/**
 * GET of a JSON object, without following redirects: an issuer that sends us elsewhere could send us to where plain http is spoken.
 * Rejects with {@link OidcError}; the body is read up to `maxBytes` and no further.
 */
export async function fetchJson(url: URL, maxBytes: number, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  let response: Response;
  try {
    response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json, application/jwk-set+json' } });
  } catch (cause) {
    throw new OidcError('OIDC_FETCH', `no answer from ${url.origin}`, { cause });
  }
  if (response.status !== 200) {
    await response.body?.cancel().catch(() => undefined);
    throw new OidcError('OIDC_FETCH', `${url.origin} answered ${response.status}`);
  }
  const value = readJsonObject(await readBody(response, url, maxBytes));
  if (!value) throw new OidcError('OIDC_FETCH', `${url.origin} did not answer with a JSON object`);
  return value;
}

async function readBody(response: Response, url: URL, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      // Leaving the loop cancels the body.
      if (bytes > maxBytes) throw new OidcError('OIDC_RESPONSE_TOO_LARGE', `${url.origin} answered with more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof OidcError) throw cause;
    throw new OidcError('OIDC_FETCH', `the answer of ${url.origin} broke off`, { cause });
  }
  return Buffer.concat(chunks);
}
