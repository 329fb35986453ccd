// What a person has to do something about, above every view.

import { byId, make } from './dom.js';

/** `showView` shows a view by its id. */
export function createAttention(showView) {
  const panel = byId('attention');
  let drawn = '';

  function draw({ needs }) {
    const now = JSON.stringify(needs);
    if (now === drawn) {
      return;
    }

    drawn = now;
    panel.hidden = needs.length === 0;
    byId('needs').replaceChildren(...needs.map(({ about, text }) => {
      const item = make('li', {}, text);
      if (about === 'dead-letters') {
        const button = make('button', { type: 'button' }, 'Show them');
        button.addEventListener('click', () => {
          showView('view-deliveries');
          byId('dead-title').tabIndex = -1;
          byId('dead-title').focus();
        });
        item.append(' ', button);
      }

      return item;
    }));
  }

  return { draw };
}
