/**
 * The part of the contract that is not in `contract.ts` yet, written by hand from the contract crate. When `contract.ts`
 * is generated again, this file goes, and `types.ts` names the generated types instead.
 */
export interface App {
  id: string;
  name: string;
  redirect_uris: string[];
  public: boolean;
  grants: Grant[];
  created_at: string;
  last_used_at?: string | null;
}

export interface CreateApp {
  name: string;
  redirect_uris?: string[];
  public?: boolean;
}

export interface Grant {
  id: string;
  app_id: string;
  app_name: string;
  scopes: string[];
  connections: string[];
  credentials: string[];
  token_scopes?: string[] | null;
  expires_at?: string | null;
  created_at: string;
  last_used_at?: string | null;
}

export interface CreateGrant {
  app: string;
  scopes: string[];
  connections?: string[];
  credentials?: string[];
  token_scopes?: string[] | null;
  expires_at?: string | null;
}

export interface ScopeWords {
  scope: string;
  description: string;
  concerns_connections: boolean;
}

export type PromptOperation =
  | 'token'
  | 'start_flow'
  | 'refresh'
  | 'disconnect'
  | 'write_connection'
  | 'write_providers'
  | 'move_endpoint'
  | 'read_credential'
  | 'write_credentials'
  | 'write_apps'
  | 'authorize_app';

export interface PromptChoice {
  connection_id: string;
  name: string;
  account?: string | null;
}

export interface Prompt {
  id: string;
  number?: string | null;
  operation: PromptOperation;
  pid?: number | null;
  program?: string | null;
  arguments?: string | null;
  parent?: string | null;
  terminal?: string | null;
  app?: string | null;
  app_proved: boolean;
  provider?: string | null;
  connection?: string | null;
  account?: string | null;
  credential?: string | null;
  requested_scopes: string[];
  token_scopes: string[];
  notes: string[];
  api_scopes: ScopeWords[];
  choices: PromptChoice[];
  redirect_uri?: string | null;
  for_session: boolean;
  asked_at: string;
  ends_at: string;
  waiting: number;
}

export type PromptDecision = 'deny' | 'once' | 'session' | 'authorize';

export interface AnswerPrompt {
  decision: PromptDecision;
  number?: string | null;
  code?: string | null;
  connections?: string[];
  until?: string | null;
}

export type CredentialType = 'default' | 'raw' | 'basic_auth' | 'oauth2_refresh';

export interface Credential {
  id: string;
  project: string;
  name: string;
  type: CredentialType;
  /** The names of the fields that are set. */
  fields: string[];
  /** Always empty here: the window is never told a value. */
  data: Record<string, string>;
  redact_fields: string[];
  expires_at?: string | null;
  status: string;
  created_at: string;
  updated_at: string;
  last_used_at?: string | null;
}

export interface CreateCredential {
  name: string;
  type: CredentialType;
  /** From field to value, base64. */
  data: Record<string, string>;
  redact_fields?: string[];
  expires_at?: string | null;
}

export interface UpdateCredential {
  name?: string | null;
  /** From field to its new value, base64; null takes a field away. */
  data?: Record<string, string | null>;
  /** Further ones: what was redacted once stays so. */
  redact_fields?: string[];
  expires_at?: string | null;
}

interface Json<T> {
  content: { 'application/json': T };
}

interface Gives<Answer> {
  responses: { 200: Json<Answer> };
}

interface Takes<Body, Answer> extends Gives<Answer> {
  requestBody: Json<Body>;
}

type Success = { success: boolean };

/** The operations, in the shape in which `contract.ts` has its own. */
export interface NextPaths {
  '/v1/apps': { get: Gives<App[]> };
  '/v1/apps/{id}': { delete: Gives<Success> };
  '/v1/grants': { get: Gives<Grant[]>; post: Takes<CreateGrant, Grant> };
  '/v1/grants/{id}': { delete: Gives<Success> };
  '/oauth/scopes': { get: Gives<{ scopes: ScopeWords[] }> };
  '/v1/credentials': { get: Gives<Credential[]>; post: Takes<CreateCredential, Credential> };
  '/v1/credentials/{id}': {
    get: Gives<Credential>;
    put: Takes<UpdateCredential, Credential>;
    delete: Gives<Success>;
  };
}
