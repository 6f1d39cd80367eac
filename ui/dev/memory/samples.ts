/** Things as the engine sends them, with everything that is not given as usual. */
import { INITIAL } from '../../src/lib/form/settings';
import type { DeviceCode, App, Connection, Credential, Event, Grant, Provider } from '../../src/lib/types';

const NOW = () => new Date().toISOString();

export const aDeviceCode = ({ name }: Provider): DeviceCode => ({
  user_code: 'WDJB-MJHT',
  verification_uri: `https://${name}.example/device`,
  verification_uri_complete: `https://${name}.example/device?user_code=WDJB-MJHT`,
  interval: 5,
});

export function aProvider(given: Partial<Provider> & Pick<Provider, 'id' | 'name'>): Provider {
  return {
    ...INITIAL,
    display_name: given.name,
    project: 'default',
    authorization_endpoint: 'https://sandbox.example/auth',
    token_endpoint: 'https://sandbox.example/token',
    client_id: 'tokenry',
    has_client_secret: false,
    self_registered: false,
    token_endpoint_auth_method: 'automatic',
    preset: null,
    loopback_ports: [28101, 28708],
    redirect_uris: [`http://127.0.0.1:28101/cb/${given.name}`, `http://127.0.0.1:28708/cb/${given.name}`],
    created_at: NOW(),
    updated_at: NOW(),
    ...given,
  };
}

export function aConnection(provider: Provider, given: Partial<Connection> & Pick<Connection, 'id'>): Connection {
  return {
    name: given.label ? `${provider.name}/${given.label}` : provider.name,
    provider_id: provider.id,
    provider_name: provider.name,
    label: null,
    account: null,
    status: 'active',
    reason: null,
    trouble: null,
    scopes: provider.default_scopes,
    requested_scopes: provider.default_scopes,
    missing_scopes: [],
    captured: [],
    bindings: [],
    notice: null,
    expires_at: null,
    refresh_at: null,
    refreshable: true,
    sign_in_again_before: null,
    last_refreshed_at: null,
    last_used_at: null,
    flow_id: null,
    created_at: NOW(),
    updated_at: NOW(),
    ...given,
  };
}

export function anEvent(given: Partial<Event> & Pick<Event, 'id' | 'kind'>): Event {
  return {
    at: NOW(),
    caller: 'ui',
    program: null,
    pid: null,
    provider_id: null,
    connection_id: null,
    credential_id: null,
    app_id: null,
    rule: null,
    grant_id: null,
    outcome: 'done',
    detail: null,
    ...given,
  };
}

export function anApp(given: Partial<App> & Pick<App, 'id' | 'name'>): App {
  return { redirect_uris: [], public: false, grants: [], created_at: NOW(), last_used_at: null, ...given };
}

export function aGrant(app: App, given: Partial<Grant> & Pick<Grant, 'id' | 'scopes'>): Grant {
  const rest = { token_scopes: null, while_locked: false, expires_at: null, created_at: NOW(), last_used_at: null };
  return { app_id: app.id, app_name: app.name, connections: [], credentials: [], ...rest, ...given };
}

export function aCredential(given: Partial<Credential> & Pick<Credential, 'id' | 'name'>): Credential {
  return {
    project: 'default',
    type: 'raw',
    fields: ['value'],
    data: {},
    redact_fields: [],
    expires_at: null,
    status: 'active',
    created_at: NOW(),
    updated_at: NOW(),
    last_used_at: null,
    ...given,
  };
}
