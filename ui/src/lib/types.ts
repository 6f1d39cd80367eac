/** The contract's types by their own names. */
import type { components, paths } from './contract';

type Schemas = components['schemas'];

export type Provider = Schemas['OAuthProvider'];
export type CreateProvider = Schemas['CreateProvider'];
export type ProviderSettings = Schemas['ProviderSettings'];
export type UpdateProvider = Schemas['UpdateProvider'];
export type PresetSummary = Schemas['PresetSummary'];
export type Preset = Schemas['Preset'];
export type PresetVariable = Schemas['PresetVariable'];
export type PreviewPreset = Schemas['PreviewPreset'];
export type PresetPreview = Schemas['PresetPreview'];
export type PresetChoice = Schemas['PresetChoice'];
export type PresetUpdate = Schemas['PresetUpdate'];
export type PresetChange = Schemas['PresetChange'];
export type ApplyPreset = Schemas['ApplyPreset'];
export type DiscoverRequest = Schemas['DiscoverRequest'];
export type Discovered = Schemas['Discovered'];
export type Offered = Schemas['Offered'];
export type RegisterRequest = Schemas['RegisterRequest'];
export type GrantType = Schemas['GrantType'];
export type AuthMethod = Schemas['TokenEndpointAuthMethod'];
export type Redirect = Schemas['Redirect'];
export type Rotation = Schemas['Rotation'];
export type NarrowingMethod = Schemas['NarrowingMethod'];
export type BodyFormat = Schemas['BodyFormat'];
export type HttpMethod = Schemas['HttpMethod'];
export type LoopbackHost = Schemas['LoopbackHost'];
export type DeepLinkForm = Schemas['DeepLinkForm'];
export type RevocationMethod = Schemas['RevocationMethod'];
export type AccountSource = Schemas['AccountSource'];
export type ExchangeStep = Schemas['ExchangeStep'];

export type CheckReport = Schemas['CheckReport'];
export type CheckedItem = Schemas['CheckedItem'];

export type Connection = Schemas['Connection'];
export type PatchConnection = Schemas['PatchConnection'];
export type ServingConnection = Schemas['ServingConnection'];
export type ConnectionStatus = Schemas['ConnectionStatus'];
export type ReauthReason = Schemas['ReauthReason'];
export type LastFailure = Schemas['LastFailure'];
export type Revoked = Schemas['Revoked'];

export type DeviceCode = Schemas['DeviceCode'];
export type Flow = Schemas['Flow'];
export type FlowStatus = Schemas['FlowStatus'];

export type EngineStatus = Schemas['EngineStatus'];
export type Vault = Schemas['Vault'];
export type SlotKind = Schemas['SlotKind'];
export type SlotProof = Schemas['SlotProof'];
export type SetSlot = Schemas['SetSlot'];

export type Event = Schemas['Event'];
export type EventKind = Schemas['EventKind'];
export type Rule = Schemas['Rule'];
export type Outcome = Schemas['Outcome'];
export type Change = Schemas['Change'];
export type WindowNotice = Schemas['WindowNotice'];
export type EventQuery = NonNullable<paths['/v1/events']['get']['parameters']['query']>;

export type Audit = Schemas['Audit'];
export type AuditEntry = Schemas['AuditEntry'];
export type AuditQuery = NonNullable<paths['/v1/audit']['get']['parameters']['query']>;
export type LogCheck = Schemas['LogCheck'];
export type LogProblemKind = Schemas['LogProblemKind'];
export type RevokeRequest = Schemas['RevokeRequest'];
export type RevokeAnswer = Schemas['RevokeAnswer'];
export type RevokedConnection = Schemas['RevokedConnection'];
export type VaultCheck = Schemas['VaultCheck'];

export type Settings = Schemas['Settings'];
export type UpdateSettings = Schemas['UpdateSettings'];
export type AutoLock = Schemas['AutoLock'];
export type UpdateAutoLock = Schemas['UpdateAutoLock'];
export type AutoLockSources = Schemas['AutoLockSources'];
export type UnlockRequested = Schemas['UnlockRequested'];

export type Job = Schemas['Job'];
export type CreateBackup = Schemas['CreateBackup'];
export type CreateRestore = Schemas['CreateRestore'];
export type BackupMade = Schemas['BackupMade'];
export type RestorePreview = Schemas['RestorePreview'];
export type RestoreItem = Schemas['RestoreItem'];
export type RestoreKind = Schemas['RestoreKind'];
export type Restored = Schemas['Restored'];
export type DailyBackup = Schemas['DailyBackup'];
export type UpdateDailyBackup = Schemas['UpdateDailyBackup'];

export type ErrorCode = Schemas['ErrorCode'];
export type ErrorBody = Schemas['ErrorBody'];

export type App = Schemas['App'];
export type CreateApp = Schemas['CreateApp'];
export type Grant = Schemas['Grant'];
export type CreateGrant = Schemas['CreateGrant'];
export type ScopeWords = Schemas['ScopeWords'];

export type Credential = Schemas['Credential'];
export type CredentialType = Schemas['CredentialType'];
export type CreateCredential = Schemas['CreateCredential'];
export type UpdateCredential = Schemas['UpdateCredential'];

export type Prompt = Schemas['Prompt'];
export type PromptOperation = Schemas['PromptOperation'];
export type PromptDecision = Schemas['PromptDecision'];
export type AnswerPrompt = Schemas['AnswerPrompt'];
export type PromptChange = Schemas['PromptChange'];
export type PromptChoice = Schemas['PromptChoice'];

export type Paths = paths;
