/** The header, the keyboard shortcuts, and messages about the window itself. */
export const header = {
  skip: 'Skip to content',
  sections: 'Sections',
  providers: 'Providers',
  apps: 'Apps',
  tools: 'Use it in…',
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
  linkRejected: 'Redirect rejected',
  reloaded: 'The window was reloaded',
  reloadedText: 'The window process ended unexpectedly. Connections and programs are not affected.',
};

export const closing = {
  title: 'Quit Tokenry?',
  text: 'This desktop has no system tray.',
  end: 'Quit',
  endText: 'Programs get no tokens until you start Tokenry again.',
  keep: 'Keep running',
  keepText: 'Tokenry runs in the background. To show the window, start Tokenry from your desktop’s menu.',
};
