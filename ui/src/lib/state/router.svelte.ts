import type { FormStart } from '../form/provider';

/** Which screen is shown. */
export type Screen =
  | { name: 'providers' }
  | { name: 'apps' }
  | { name: 'tools' }
  | { name: 'activity' }
  | { name: 'settings' }
  | { name: 'add' }
  | { name: 'form'; provider?: string; start?: FormStart };

export class Router {
  screen = $state.raw<Screen>({ name: 'providers' });
  help = $state(false);
  /** Where the user wanted to go, while a form that is not saved asks whether to discard it. */
  asked = $state.raw<Screen | undefined>();

  #isUnsaved: (() => boolean) | undefined;

  /** Shows this screen; from a form that is not saved, only after the user agrees. */
  go(screen: Screen): void {
    if (this.#isUnsaved?.()) this.asked = screen;
    else this.leave(screen);
  }

  /** Shows this screen, whatever is lost by that. */
  leave(screen: Screen): void {
    this.asked = undefined;
    this.#isUnsaved = undefined;
    this.screen = screen;
  }

  /** The user goes on with the form. */
  stay(): void {
    this.asked = undefined;
  }

  /** `isUnsaved` is asked before another screen is shown. Returns how to stop. */
  guard(isUnsaved: () => boolean): () => void {
    this.#isUnsaved = isUnsaved;
    return () => {
      if (this.#isUnsaved === isUnsaved) this.#isUnsaved = undefined;
    };
  }
}
