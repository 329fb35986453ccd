// The live lines: the newest first, a bounded number of them, drawn at most once a frame.

import { byId, say } from './dom.js';
import { STATES, line, moveByKeys, searchTextOf, updateLine, wordOf } from './journeys.js';

const KEPT = 500;
const REFUSED_KEPT = 50;
const SHOWN = 200;
const SPEAK_MILLISECONDS = 3000;

export function createLines(open) {
  const table = byId('lines');
  const body = table.tBodies[0];
  const filter = byId('filter');
  const stateFilter = byId('state');
  const pause = byId('pause');
  // In the order of arrival: the oldest first.
  const journeys = new Map();
  const rows = new Map();
  const changed = new Set();
  let waitsForFrame = false;
  let isPaused = false;
  let dropped = 0;
  let unspoken = 0;
  let lastWord = '';

  stateFilter.append(...Object.entries(STATES).map(([state, { word }]) => new Option(word, state)));
  moveByKeys(table);
  filter.addEventListener('input', redraw);
  stateFilter.addEventListener('change', redraw);
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.setAttribute('aria-pressed', isPaused);
    draw();
  });
  setInterval(speak, SPEAK_MILLISECONDS);

  function matches(journey) {
    const wanted = filter.value.trim().toLowerCase();
    return (!stateFilter.value || journey.state === stateFilter.value) && (!wanted || searchTextOf(journey).includes(wanted));
  }

  function take(updates) {
    for (const journey of updates) {
      if (!journeys.has(journey.id)) {
        unspoken++;
      }

      lastWord = `${journey.kind ?? 'no event'} ${wordOf(journey.state)}`;
      journeys.set(journey.id, journey);
      changed.add(journey.id);
    }

    // Anybody can send what is refused, so it has a bound of its own and pushes nothing else out.
    forgetOldest(KEPT, journey => journey.state !== 'refused');
    forgetOldest(REFUSED_KEPT, journey => journey.state === 'refused');

    if (!waitsForFrame) {
      waitsForFrame = true;
      // A page in the background gets no frames, and its lines must not pile up.
      (document.hidden ? queueMicrotask : requestAnimationFrame)(() => {
        waitsForFrame = false;
        draw();
      });
    }
  }

  function forgetOldest(kept, isMeant) {
    const ids = [...journeys.values()].filter(isMeant).map(journey => journey.id);
    for (const id of ids.slice(0, -kept)) {
      journeys.delete(id);
      changed.delete(id);
      dropped++;
    }
  }

  function draw() {
    if (isPaused) {
      describe();
      return;
    }

    // What would be pushed out at once is not drawn at all.
    const fresh = [...changed].filter(id => !rows.has(id) && matches(journeys.get(id))).slice(-SHOWN);
    for (const id of changed) {
      const row = rows.get(id);
      if (row) {
        if (matches(journeys.get(id))) {
          updateLine(row, journeys.get(id));
        } else {
          remove(id, row);
        }
      }
    }

    changed.clear();
    for (const id of fresh) {
      const row = line(journeys.get(id), open);
      row.classList.add('new');
      rows.set(id, row);
      body.prepend(row);
    }

    trim();
    describe();
  }

  function trim() {
    for (const [id, row] of rows) {
      // The line that has the focus stays, or the keyboard would be lost.
      if ((rows.size > SHOWN || !journeys.has(id)) && !row.contains(document.activeElement)) {
        remove(id, row);
      }
    }
  }

  function remove(id, row) {
    rows.delete(id);
    row.remove();
  }

  function redraw() {
    rows.clear();
    body.replaceChildren();
    changed.clear();
    for (const id of journeys.keys()) {
      changed.add(id);
    }

    const wasPaused = isPaused;
    isPaused = false;
    draw();
    isPaused = wasPaused;
  }

  function describe() {
    table.hidden = rows.size === 0;
    byId('no-events').hidden = rows.size > 0;
    say(byId('no-events'), journeys.size > 0 ? 'No line matches.' : 'No event yet.');
    const waiting = isPaused ? changed.size : 0;
    say(pause, isPaused ? `Resume${waiting ? ` (${waiting} changed)` : ''}` : 'Pause');
    const hidden = journeys.size - rows.size + dropped;
    say(byId('window'), hidden > 0 && rows.size > 0 ? `${rows.size} lines are shown; ${hidden} more are not: find them with the filter, or in the journal below.` : '');
  }

  function speak() {
    if (unspoken > 0) {
      say(byId('said'), `${unspoken === 1 ? 'One event' : `${unspoken} events`}; the last: ${lastWord}.`);
      unspoken = 0;
    }
  }

  return { take, get count() { return journeys.size; }, set dropped(value) { dropped = Math.max(dropped, value); } };
}
