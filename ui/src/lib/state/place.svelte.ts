/** Which screen is shown. */
export type Screen =
  | { name: 'providers' }
  | { name: 'apps' }
  | { name: 'activity' }
  | { name: 'settings' }
  | { name: 'form'; provider?: string };

export class Place {
  screen = $state.raw<Screen>({ name: 'providers' });
  help = $state(false);

  go(screen: Screen): void {
    this.screen = screen;
  }
}
