// The pages as HTML. Nothing is loaded from anywhere: they work without a network, and look at home in light and
// in dark.

import { randomBytes } from 'node:crypto';

const SCOPES = {
  openid: 'Know who you are',
  profile: 'See your name',
  email: 'See your email address',
  offline_access: 'Stay connected while you are away',
  read: 'Read your sandbox data',
  write: 'Change your sandbox data',
};

const STYLE = `
  :root { color-scheme: light dark; --page: #f3f4f8; --card: #fff; --text: #1b1d29; --soft: #5c6074;
    --line: #d9dce6; --accent: #4453d6; --on-accent: #fff; }
  @media (prefers-color-scheme: dark) { :root { --page: #14151c; --card: #1e2029; --text: #eceef6;
    --soft: #a3a8bd; --line: #363a4a; --accent: #97a2ff; --on-accent: #14151c; } }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px;
    background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
  main { width: min(420px, 100%); background: var(--card); border: 1px solid var(--line);
    border-radius: 16px; padding: 32px; box-shadow: 0 8px 30px #0000001a; }
  .mark { display: inline-block; padding: 2px 10px; border: 1px solid var(--line); border-radius: 99px;
    font-size: 13px; color: var(--soft); }
  h1 { font-size: 24px; line-height: 1.25; margin: 16px 0 8px; text-wrap: balance; }
  p { margin: 0 0 20px; color: var(--soft); overflow-wrap: anywhere; }
  label { display: block; font-weight: 600; margin-bottom: 6px; }
  input { width: 100%; font: inherit; color: inherit; background: transparent; padding: 10px 12px;
    border: 1px solid var(--line); border-radius: 10px; margin-bottom: 20px; }
  ul { list-style: none; margin: 0 0 24px; padding: 0; border: 1px solid var(--line); border-radius: 12px; }
  li { padding: 10px 14px; overflow-wrap: anywhere; }
  li + li { border-top: 1px solid var(--line); }
  .buttons { display: flex; gap: 12px; flex-direction: row-reverse; }
  .buttons form { flex: 1; }
  button { width: 100%; font: inherit; font-weight: 600; padding: 10px 16px; border-radius: 10px; cursor: pointer;
    border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); }
  button.quiet { background: transparent; color: inherit; border-color: var(--line); }
  button:hover { filter: brightness(1.07); }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }`;

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function safe(text) {
  return String(text ?? '').replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

function page(title, body, script = '') {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${safe(title)} – Sandbox</title>
<style>${STYLE}</style>
<main>
<span class="mark">Sandbox</span>
${body}
</main>
${script}</html>
`;
}

export function loginPage({ uid, client, hint }) {
  return page('Sign in', `<h1>Sign in to continue to ${safe(client)}</h1>
<p>This server runs on your own machine and forgets everything when it ends. Any name will do.</p>
<form method="post" action="/interaction/${safe(uid)}/login">
<label for="login">Name</label>
<input id="login" name="login" value="${safe(hint ?? 'Ada Lovelace')}" maxlength="100" required autofocus autocomplete="off">
<button>Sign in</button>
</form>`);
}

export function consentPage({ uid, client, account, scopes, deepLink }) {
  const items = scopes.map((scope) => `<li>${safe(SCOPES[scope] ?? scope)}</li>`).join('\n');
  // A browser that hands over to an app stays on this page: then it should not look undecided.
  const script = deepLink
    ? `<script>for (const form of document.forms) form.addEventListener('submit', () => setTimeout(() => {
  document.querySelector('main').innerHTML = '<span class="mark">Sandbox</span><h1>Back to Tokenry</h1><p>You can close this page.</p>';
}, 1500));</script>\n`
    : '';
  return page('Agree', `<h1>${safe(client)} asks for access</h1>
<p>You are signed in as ${safe(account)}.</p>
<ul>
${items}
</ul>
<div class="buttons">
<form method="post" action="/interaction/${safe(uid)}/agree"><button autofocus>Agree</button></form>
<form method="post" action="/interaction/${safe(uid)}/deny"><button class="quiet">Deny</button></form>
</div>`, script);
}

export function errorPage({ error, error_description: description }) {
  if (!error) {
    return page('Sandbox', '<h1>The Sandbox is running</h1><p>Connect it from Tokenry.</p>');
  }
  return page('Error', `<h1>That did not work</h1>
<p>${safe(error)}${description ? `: ${safe(description)}` : ''}</p>`);
}

/** The form is the library's: it holds its token against forgery. */
export function codeInputPage(form, error) {
  const wrong = error ? `<p>${safe(error.userCode ? `The code ${error.userCode} is not good.` : error.message)}</p>` : '';
  return page('Code', `<h1>Enter the code that your device shows</h1>
${wrong}${form}
<div class="buttons"><button form="op.deviceInputForm">Continue</button></div>`);
}

export function codeConfirmPage(form, client, code) {
  return page('Compare', `<h1>Does ${safe(client)} show this code?</h1>
<p><code>${safe(code)}</code></p>
${form}
<div class="buttons"><button form="op.deviceConfirmForm" autofocus>Yes</button>
<button form="op.deviceConfirmForm" class="quiet" name="abort" value="yes">No</button></div>`);
}

export function codeSuccessPage() {
  return page('Done', '<h1>You are signed in</h1><p>Go back to your other device. You can close this page.</p>');
}

/** Sends a page. No form-action: it would stop the redirect back to an app's own scheme. */
export function send(response, status, html) {
  const nonce = randomBytes(16).toString('base64');
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy':
      `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
  });
  response.end(html.replace('<style>', `<style nonce="${nonce}">`).replace('<script>', `<script nonce="${nonce}">`));
}
