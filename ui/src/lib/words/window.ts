/** The texts about the window itself. */
export const window_ = {
  linkRefused: 'A sign-in link was not used',
  reloaded: 'The window was restarted',
  reloadedText: 'The process that draws it had ended. Your connections and your programs were not affected.',
  closing: {
    title: 'End Tokenry?',
    text: 'This desktop shows no tray icon that could open the window again.',
    end: 'End Tokenry',
    endText: 'Programs get no tokens until you start it again.',
    keep: 'Keep running',
    keepText: 'Tokenry goes on without a window. Start it again to see the window.',
  },
};
