/** The view "Use it in…": tools that get their tokens from Tokenry. */

export const useIn = {
  title: 'Use it in…',
  text: 'Programs on this machine that can get their tokens from Tokenry. Tokenry shows each change of their configuration first, and can undo it.',
  state: {
    not_installed: 'Not installed',
    not_set_up: 'Not set up',
    works: 'Works',
    problem: 'Does not work',
  },
  setUp: 'Set up',
  setUpMore: 'Set up another',
  undo: 'Undo',
  checkAgain: 'Check again',
  others: 'Not found on this machine',
  entry: (target: string) => `Set up for ${target}`,
  noConnection: (url: string, others: boolean) =>
    others
      ? `No connection serves ${url}. Choose one, or add its provider and connect an account.`
      : `No connection serves ${url}. Add its provider and connect an account.`,
  severalConnections: (url: string) => `Several connections serve ${url}. Choose one of them.`,
  choose: 'Connection',
  chosen: 'Use this connection',
  bound: (url: string, name: string) => `${url} is served by ${name} from now on.`,
  signIn: (name: string) => `${name} needs a new sign-in.`,
  inactive: (name: string) => `${name} gives no tokens now.`,
  dialog: {
    setUp: (tool: string) => `Set up ${tool}`,
    undo: (target: string) => `Undo the setup for ${target}`,
    show: 'Show the change',
    write: 'Write this change',
    takeBack: 'Undo this change',
    nothing: 'There is nothing to change.',
    shown: 'Tokenry keeps a copy of each file until you undo the change.',
    done: (tool: string) => `${tool} is set up.`,
    undone: (tool: string) => `The setup of ${tool} was undone.`,
  },
  fields: {
    address: 'Host or address',
    connection: 'Connection',
    name: 'Name of the entry',
    role: 'Role (ARN)',
    audience: 'Audience',
  },
};
