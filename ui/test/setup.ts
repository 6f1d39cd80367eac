/** What jsdom lacks of a browser, as little as the window needs. */
if (typeof HTMLDialogElement.prototype.showModal !== 'function') {
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
    this.querySelector<HTMLElement>('input, button')?.focus();
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
  };
  // A browser turns Escape into `cancel` on the open dialog.
  document.addEventListener('keydown', (event) => {
    const dialog = document.querySelector('dialog[open]');
    if (event.key === 'Escape') dialog?.dispatchEvent(new Event('cancel', { cancelable: true }));
  });
}

// axe draws on a canvas to find icon fonts; there are none, and jsdom only complains.
HTMLCanvasElement.prototype.getContext = () => null;

// jsdom lays nothing out. A list draws what is in sight: say that the window is 600 pixels high, and each part in it 100.
for (const name of ['offsetHeight', 'clientHeight']) {
  Object.defineProperty(HTMLElement.prototype, name, {
    configurable: true,
    get(this: HTMLElement) {
      return this.tagName === 'MAIN' ? 600 : 100;
    },
  });
}
