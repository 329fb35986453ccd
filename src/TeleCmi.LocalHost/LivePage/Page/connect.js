// What to do first: a sample, a tunnel, the portal.

import { post } from './api.js';
import { byId, copy, say } from './dom.js';
import { curlOf } from './text.js';

const SECRET_BYTES = 24;
const DEFAULT_ORIGIN = 'http://127.0.0.1:7071';

/** Starts the receiver again where it is, with a secret, in the shell that this system has. */
function startCommand(token, origin) {
  const setting = navigator.userAgent.includes('Windows') ? `$env:TeleCmi__AccessTokens='${token}';` : `TeleCmi__AccessTokens=${token}`;
  const urls = origin === DEFAULT_ORIGIN ? '' : ` -- --urls ${origin}`;
  return `${setting} dotnet run --project src/TeleCmi.LocalHost${urls}`;
}

export function createConnect() {
  const panel = byId('connect');
  let isTouched = false;
  let token = '';

  panel.querySelector('summary').addEventListener('click', () => {
    isTouched = true;
  });
  for (const button of document.querySelectorAll('[data-copy]')) {
    button.addEventListener('click', async () => {
      const source = byId(button.dataset.copy);
      const isCopied = await copy(source.textContent, source);
      say(byId('said'), isCopied ? 'Copied.' : 'The browser does not allow copying here: the text is selected.');
    });
  }

  for (const button of document.querySelectorAll('[data-send]')) {
    button.addEventListener('click', async () => {
      try {
        const response = await post('/live/sample', { method: button.dataset.send, sample: byId('sample').value });
        // The panel stays, for the one who is still trying things.
        isTouched = true;
        say(byId('sent'), `Sent by ${button.dataset.send}; the response was ${response.status}. Its way is under Deliveries.`);
      } catch (error) {
        say(byId('sent'), error.message);
      }
    });
  }

  byId('tunnel').addEventListener('input', showAddress);
  byId('secret').addEventListener('input', showAddress);

  function showAddress() {
    const base = byId('tunnel').value.trim().replace(/\/+$/, '') || 'https://YOUR-TUNNEL';
    const secret = byId('secret').value.trim() || 'YOUR-SECRET';
    say(byId('webhook'), `${base}/api/telecmi/${encodeURIComponent(secret)}/events`);
  }

  /** What the receiver says of itself. */
  function greet(hello) {
    const port = location.port || (location.protocol === 'https:' ? '443' : '80');
    token ||= [...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))].map(byte => byte.toString(16).padStart(2, '0')).join('');
    say(byId('curl-post'), curlOf({ method: 'POST', contentType: 'application/json', content: { text: hello.sample } }, location.origin));
    say(byId('curl-get'), curlOf({ method: 'GET', isQuery: true, content: { text: new URLSearchParams(JSON.parse(hello.sample)).toString() } }, location.origin));
    say(byId('token-command'), startCommand(token, location.origin));
    byId('no-token').hidden = byId('token-copy').hidden = hello.hasAccessToken;
    byId('has-token').hidden = !hello.hasAccessToken;
    say(byId('tunnel-dev'), `devtunnel host -p ${port} --allow-anonymous`);
    say(byId('tunnel-ngrok'), `ngrok http ${port}`);
    say(byId('accepted'), hello.acceptedEvents.join(', '));
    showAddress();
  }

  /** The lesson is over when events come by themselves. */
  function count(events) {
    byId('connect-lead').hidden = events > 0;
    if (!isTouched) {
      panel.open = events === 0;
    }
  }

  return { greet, count };
}
