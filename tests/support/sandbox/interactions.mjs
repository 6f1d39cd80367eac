// The two pages a person sees, and what follows from their buttons.

import { consentPage, errorPage, loginPage, send } from './pages.mjs';

const PATH = /^\/interaction\/([\w-]{1,64})(?:\/(login|agree|deny))?$/;

/** The request handler of the whole server: our pages, and the library for everything else. */
export function interactions(provider, accounts) {
  const rest = provider.callback();
  return (request, response) => {
    const [, uid, step] = PATH.exec(request.url.split('?')[0]) ?? [];
    if (!uid) {
      if (request.url === '/') return send(response, 200, errorPage({}));
      if (/^\/auth(?:\?|$)/.test(request.url)) forgetSession(request, response);
      return rest(request, response);
    }
    return answer(provider, accounts, request, response, step).catch((error) => {
      send(response, error.statusCode ?? 500, errorPage({ error: error.error, error_description: error.message }));
    });
  };
}

/** Every authorization begins with a sign-in: that is how one browser connects several accounts. */
function forgetSession(request, response) {
  const cookies = (request.headers.cookie ?? '').split('; ');
  request.headers.cookie = cookies.filter((cookie) => !/^_session(?:\.\w+)*=/.test(cookie)).join('; ');
  const past = 'path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly';
  response.setHeader('set-cookie', [`_session=; ${past}`, `_session.sig=; ${past}`]);
}

async function answer(provider, accounts, request, response, step) {
  const details = await provider.interactionDetails(request, response);
  if (request.method === 'GET' && !step) {
    return show(provider, accounts, response, details);
  }
  if (request.method !== 'POST' || !step) {
    return send(response, 405, errorPage({ error: 'method not allowed' }));
  }
  const form = await read(request);
  const result = await decide(provider, accounts, details, step, form);
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: step === 'agree' });
}

async function show(provider, accounts, response, { uid, prompt, params, session }) {
  const client = await provider.Client.find(params.client_id);
  if (prompt.name === 'login') {
    return send(response, 200, loginPage({ uid, client: client.clientName, hint: params.login_hint }));
  }
  return send(response, 200, consentPage({
    uid,
    client: client.clientName,
    account: accounts.name(session.accountId),
    scopes: (params.scope ?? '').split(' ').filter(Boolean),
    deepLink: !/^https?:/.test(params.redirect_uri),
  }));
}

async function decide(provider, accounts, details, step, form) {
  switch (step) {
    case 'login':
      return { login: { accountId: accounts.signIn(form.get('login') ?? '') } };
    case 'agree':
      return { consent: { grantId: await grant(provider, details) } };
    default:
      return { error: 'access_denied', error_description: 'The person said no' };
  }
}

async function grant(provider, { grantId, prompt, params, session }) {
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  const found = grantId ? await provider.Grant.find(grantId) : undefined;
  const granted = found ?? new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (missingOIDCScope) granted.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) granted.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    granted.addResourceScope(resource, scopes.join(' '));
  }
  return granted.save();
}

async function read(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 16384) throw Object.assign(new Error('the form is too large'), { statusCode: 413 });
  }
  return new URLSearchParams(body);
}
