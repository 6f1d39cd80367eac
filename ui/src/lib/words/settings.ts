/** The texts of the settings. */
export const settings = {
  title: 'Settings',
  loopback: 'Loopback door',
  loopbackSwitch: 'Let programs call on 127.0.0.1',
  loopbackText:
    'Programs reach Tokenry through a socket that only you can open. Some can only speak TCP: for those there is a door at 127.0.0.1, closed unless you open it. It takes no web page, and only whoever can read a file of yours gets in. Whatever hands something out asks you here, too.',
  open: (port: number) => `It is open at 127.0.0.1:${port}.`,
  closed: 'It is closed.',
  file: 'Where programs find the port and the token of the door, a file that only you can read',
  fileName: '~/.local/share/io.github.tokenry/loopback.json',
  fileElse: 'It is elsewhere when XDG_DATA_HOME or TOKENRY_HOME is set.',
};
