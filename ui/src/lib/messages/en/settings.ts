/** The settings. */
export const settings = {
  title: 'Settings',
  loopback: 'Local HTTP API',
  loopbackSwitch: 'Enable the HTTP API on 127.0.0.1',
  loopbackText:
    'Programs use Tokenry through a Unix socket. Enable this for programs that only speak TCP. Web pages are blocked; callers need the token in the file below. You are still asked before a program gets a token.',
  on: (port: number) => `On, at 127.0.0.1:${port}`,
  off: 'Off',
  passphrase: 'Passphrase for high-risk requests',
  passphraseText:
    'Require your passphrase to allow requests that are decided each time: changing where secrets are sent, removing a provider, or changing what apps may do. This stops programs that send clicks or keys to your session, which any program can do under X11.',
  passphraseOn: 'Require the passphrase',
  passphraseOff: 'Stop requiring the passphrase',
  passphraseNone: 'This vault has no passphrase. The OS keyring unlocks it.',
  passphraseNow: 'Passphrase, to change this setting',
  file: 'Port and token are in',
  fileName: '~/.local/share/io.github.tokenry/loopback.json',
  fileElse: 'The folder differs when XDG_DATA_HOME or TOKENRY_HOME is set.',
};
