/** The texts of the settings. */
export const settings = {
  title: 'Settings',
  loopback: 'Loopback transport',
  loopbackSwitch: 'Let programs call on 127.0.0.1',
  loopbackText:
    'Programs reach Tokenry through a socket that only you can open. Some can only speak TCP: for those there is a transport at 127.0.0.1, closed unless you open it. It takes no web page, and only whoever can read a file of yours gets in. Whatever hands something out asks you here, too.',
  open: (port: number) => `It is open at 127.0.0.1:${port}.`,
  closed: 'It is closed.',
  passphrase: 'Passphrase at high-risk questions',
  passphraseText:
    'A question that is decided each time, such as a change of where secrets go, the end of a provider, or what an app may do, is then allowed only with your passphrase. A program that presses keys or buttons in your session, as any can under X11, does not know it.',
  passphraseOn: 'Ask for it from now on',
  passphraseOff: 'Ask for it no longer',
  passphraseNone: 'This vault has no passphrase: the OS keyring alone opens it.',
  passphraseNow: 'Passphrase, to switch this',
  file: 'Where programs find the port and the token of the transport, a file that only you can read',
  fileName: '~/.local/share/io.github.tokenry/loopback.json',
  fileElse: 'It is elsewhere when XDG_DATA_HOME or TOKENRY_HOME is set.',
};
