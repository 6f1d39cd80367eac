/** The settings. */
export const settings = {
  title: 'Settings',
  loopback: 'Local HTTP API',
  loopbackSwitch: 'Enable the HTTP API on 127.0.0.1',
  loopbackText:
    'Programs use Tokenry through a Unix socket. Enable this for programs that only speak TCP. Web pages are blocked, and callers must send the token from loopback.json. You are still asked before a program gets a token.',
  on: (port: number) => `On, at 127.0.0.1:${port}`,
  off: 'Off',
  oidcAgent: 'Clients of oidc-agent',
  oidcAgentSwitch: 'Open a socket for the clients of oidc-agent',
  oidcAgentText:
    'oidc-token and other clients of oidc-agent get their tokens from Tokenry. You are still asked before a program gets a token. eval "$(tokenry oidc-agent)" tells a shell where the socket is.',
  passphrase: 'Passphrase for high-risk requests',
  passphraseText:
    'Tokenry asks for your passphrase before you can allow a request that can’t be allowed for a session, for example changing an endpoint, deleting a provider or granting access. Under X11, any program can send clicks and keys; it can’t allow these requests without the passphrase.',
  passphraseOn: 'Require the passphrase',
  passphraseOff: 'Turn off',
  passphraseNone: 'The OS keyring unlocks this vault. This setting needs a vault with a passphrase.',
  passphraseNow: 'Current passphrase',
  file: 'Port and token',
  fileName: '~/.local/share/io.github.tokenry/loopback.json',
  fileElse: 'The folder differs when XDG_DATA_HOME or TOKENRY_HOME is set.',
};
