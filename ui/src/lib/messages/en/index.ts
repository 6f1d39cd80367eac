/** The English messages: one file per screen. */
import { activity, audit } from './activity';
import { add } from './add';
import { apps } from './apps';
import { autoLock, unlockRequest } from './auto-lock';
import { backup } from './backup';
import { byAddress } from './by-address';
import { checks } from './checks';
import { common, time } from './common';
import { connectDialog, connection, disconnectDialog, labelDialog, reason, revoked, status } from './connections';
import { consent } from './consent';
import { credentials } from './credentials';
import { cutOff } from './cut-off';
import { errors } from './errors';
import { lock } from './lock';
import { providerForm, removeProviderDialog } from './provider-form';
import { providers } from './providers';
import { security } from './security';
import { settings } from './settings';
import { signIn } from './sign-in';
import { useIn } from './use-in';
import { vaultCheck } from './vault-check';
import { closing, header, help, window } from './window';

export const messages = {
  activity,
  add,
  apps,
  autoLock,
  backup,
  audit,
  byAddress,
  checks,
  closing,
  common,
  connectDialog,
  connection,
  consent,
  credentials,
  cutOff,
  disconnectDialog,
  errors,
  header,
  help,
  labelDialog,
  lock,
  providerForm,
  providers,
  reason,
  removeProviderDialog,
  revoked,
  security,
  settings,
  signIn,
  status,
  time,
  unlockRequest,
  useIn,
  vaultCheck,
  window,
};
