// The connection to the receiver: it connects again by itself, also when the browser has given up.

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

    source.addEventListener('error', () => onLink('lost'));
  }

  connect();
  setInterval(() => {
    // The counts come every second, so silence means that the line is dead, whatever the browser thinks.
    if (source.readyState === EventSource.CLOSED || performance.now() - heard > SILENCE_MILLISECONDS) {
      onLink('lost');
      connect();
    }
  }, RETRY_MILLISECONDS);
}
