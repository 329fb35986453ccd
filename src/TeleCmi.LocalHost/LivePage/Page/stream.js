// The connection to the receiver: it connects again by itself, also when the browser does so no more. A 401 means that its key is another one since it was restarted.

const RETRY_MILLISECONDS = 1000;
const SILENCE_MILLISECONDS = 6000;

/** Listens for as long as the page lives. */
export function listen(handlers, onLink) {
  let source = null;
  let heard = 0;

  function connect() {
    source?.close();
    heard = performance.now();
    source = new EventSource('/live/events');
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, message => {
        heard = performance.now();
        onLink('live');
        handle(JSON.parse(message.data));
      });
    }

    source.addEventListener('error', async () => {
      const response = await fetch('/live/icon.svg').catch(() => null);
      onLink(response?.status === 401 ? 'locked' : 'lost');
    });
  }

  connect();
  setInterval(() => {
    // The counts come every second, so silence means that the line is dead, whatever the browser thinks.
    const isSilent = performance.now() - heard > SILENCE_MILLISECONDS;
    if (isSilent) {
      onLink('lost');
    }

    if (isSilent || source.readyState === EventSource.CLOSED) {
      connect();
    }
  }, RETRY_MILLISECONDS);
}
