// Older events, from the journal, on request.

import { get } from './api.js';
import { byId, say } from './dom.js';
import { line, moveByKeys } from './journeys.js';

export function createOlder(open) {
  const table = byId('older');
  const body = table.tBodies[0];
  const more = byId('older-more');
  const day = byId('day');
  const undated = byId('undated');
  let asked = null;
  let next = '';

  moveByKeys(table);
  day.valueAsDate = new Date();
  undated.addEventListener('change', () => {
    day.disabled = undated.checked;
  });
  byId('older-form').addEventListener('submit', event => {
    event.preventDefault();
    asked = undated.checked ? 'undated' : day.value;
    next = '';
    body.replaceChildren();
    load();
  });
  more.addEventListener('click', load);

  async function load() {
    more.disabled = true;
    try {
      const page = await get(`/live/journal?${new URLSearchParams({ day: asked, after: next })}`);
      body.append(...page.journeys.map(journey => line(journey, open, true)));
      next = page.next ?? '';
      const count = body.childElementCount;
      say(byId('older-note'), count === 0 ? 'The journal has no event of that day.' : `${count} shown${next ? ', there are more' : ', that is all'}; call by call.`);
    } catch (error) {
      say(byId('older-note'), error.message);
    } finally {
      table.hidden = body.childElementCount === 0;
      more.hidden = !next;
      more.disabled = false;
    }
  }
}
