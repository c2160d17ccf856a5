import type { DevPrincipal } from './principals.js';

const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/** No form-action: the answer to the form is a redirect to the client, which browsers count as part of it. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}
button{display:block;width:100%;padding:.7rem;margin:.5rem 0;font:inherit;text-align:left}input{font:inherit;padding:.5rem;width:100%}
small{opacity:.7}`;

export function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${text(title)}</title><style>${STYLE}</style></head>
<body><h1>${text(title)}</h1>${body}<p><small>Sallyport development issuer: signs in whoever asks, on this machine only.</small></p></body></html>`;
}

/** One button per person. */
export function loginPage(action: string, persons: readonly DevPrincipal[]): string {
  const buttons = persons.map(
    ({ subject, groups }) =>
      `<button name="subject" value="${text(subject)}">${text(subject)} <small>${text(groups.join(', '))}</small></button>`,
  );
  return page('Sign in as', `<form method="post" action="${text(action)}">${buttons.join('')}</form>`);
}

export function text(value: string): string {
  return value.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
