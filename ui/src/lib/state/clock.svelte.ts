/** The time, once a second while the window is visible. */
export class Clock {
  /** Milliseconds since 1970. */
  now = $state(Date.now());

  /** Starts ticking; returns how to stop. Pauses while the window is hidden. */
  start(): () => void {
    let timer: ReturnType<typeof setInterval> | undefined;
    const tick = () => (this.now = Date.now());
    const follow = () => {
      clearInterval(timer);
      if (document.visibilityState === 'hidden') return;
      tick();
      timer = setInterval(tick, 1000);
    };
    document.addEventListener('visibilitychange', follow);
    follow();
    return () => {
      document.removeEventListener('visibilitychange', follow);
      clearInterval(timer);
    };
  }
}
