/** The header, the keyboard shortcuts, and messages about the window itself. */
export const header = {
  skip: 'Skip to content',
  sections: 'Sections',
  providers: 'Providers',
  apps: 'Apps',
  activity: 'Activity',
  settings: 'Settings',
  lock: 'Lock',
  help: 'Keyboard shortcuts',
  readOnly: 'The vault is read-only',
  older: 'An older copy of the vault was restored',
  acceptOlder: 'Continue with this copy',
  olderAccepted: 'Continuing with this copy of the vault.',
};

export const help = {
  title: 'Keyboard shortcuts',
  keys: {
    'Ctrl+N': 'Add a provider',
    'Ctrl+K': 'Search',
    'Ctrl+L': 'Lock the vault',
    F1: 'Show keyboard shortcuts',
    Esc: 'Close a dialog or a form',
  },
};

export const window = {
  linkRejected: 'A sign-in link was rejected',
  reloaded: 'The window was reloaded',
  reloadedText: 'Its process had ended unexpectedly. Connections and programs were not affected.',
};

export const closing = {
  title: 'Quit Tokenry?',
  text: 'This desktop has no tray icon to open the window again.',
  end: 'Quit',
  endText: 'Programs get no tokens until you start Tokenry again.',
  keep: 'Keep running',
  keepText: 'Tokenry runs without a window. Start it again to open the window.',
};
