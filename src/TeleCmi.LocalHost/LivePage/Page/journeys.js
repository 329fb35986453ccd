// One journey as a line: the same for live ones and for those from the journal.

import { make } from './dom.js';
import { duration, momentOf, timeOf } from './text.js';

/** Word and sign of each state; styles add a third mark, so that colour is never the only one. */
export const STATES = {
  received: { word: 'received', sign: '…' },
  queued: { word: 'queued', sign: '◔' },
  retrying: { word: 'trying again', sign: '↻' },
  processed: { word: 'processed', sign: '✓' },
  duplicate: { word: 'duplicate', sign: '=' },
  variant: { word: 'other content', sign: '≠' },
  ignored: { word: 'ignored', sign: '∅' },
  rejected: { word: 'rejected', sign: '✕' },
  refused: { word: 'refused', sign: '⊘' },
  unavailable: { word: 'not stored', sign: '!' },
  dead: { word: 'dead letter', sign: '✝' },
};

const REASONS = {
  duplicate: 'This event was here before; nothing was done twice.',
  variant: 'This id was here before with another content; both are kept.',
  ignored: 'Its kind is not in TeleCmi__AcceptedEvents.',
};

const FORWARDS = { delivered: 'delivered', retried: 'waits for the next attempt', deferred: 'deferred', dead_lettered: 'dead letter', skipped: 'skipped, the conversation was forwarded' };

const isForwarded = ({ outcome }) => outcome === 'delivered' || outcome === 'skipped';

const forwardsOf = forwards => forwards.map(({ destination, outcome }) => `${destination}: ${FORWARDS[outcome] ?? outcome}`).join(', ');

const NOT_TAKEN = new Set(['ignored', 'rejected', 'refused', 'unavailable']);

export const wordOf = state => STATES[state]?.word ?? state;

export const reasonOf = journey => journey.fault ?? REASONS[journey.state] ?? '';

/** The text that a search looks through. */
export const searchTextOf = journey =>
  [journey.kind, journey.eventId, journey.answeredBy, journey.agent, journey.number, wordOf(journey.state), reasonOf(journey), journey.method].join(' ').toLowerCase();

export const badgeOf = ({ word, sign }) => make('span', { class: 'badge' }, make('span', { 'aria-hidden': 'true' }, `${sign} `), word);

export const badge = state => badgeOf(STATES[state] ?? { word: state, sign: '?' });

/** Where the journey has been and what each step took. */
export function way(journey) {
  const steps = [['received', true, journey.method ?? '']];
  if (!NOT_TAKEN.has(journey.state)) {
    const isQueued = journey.responseMs !== undefined || journey.startedMs !== undefined || journey.processedMs !== undefined;
    steps.push(['queued', isQueued, journey.responseMs === undefined ? '' : duration(journey.responseMs)]);
    const took = journey.processedMs === undefined ? '' : `+${duration(Math.max(0, journey.processedMs - (journey.responseMs ?? 0)))}`;
    steps.push(['processed', journey.processedMs !== undefined, took]);
    if (journey.forwards) {
      const isDone = journey.forwards.every(isForwarded);
      const took = isDone ? `+${duration(Math.max(0, journey.forwardedMs - (journey.processedMs ?? 0)))}` : '';
      steps.push(['forwarded', isDone, `${took} ${forwardsOf(journey.forwards)}`]);
    }
  } else if (journey.responseMs !== undefined) {
    steps.push([`response ${journey.status}`, true, duration(journey.responseMs)]);
  }

  return make('ol', { class: 'way' }, ...steps.map(([name, isDone, took]) => make(
    'li',
    { class: isDone ? 'done' : '' },
    make('span', { 'aria-hidden': 'true' }, isDone ? '● ' : '○ '),
    name,
    isDone ? '' : make('span', { class: 'unseen' }, ' not yet'),
    took ? make('span', { class: 'took' }, ` ${took}`) : '',
    ' ')));
}

/** A row of the table; `update` writes a journey into it. */
export function line(journey, open, isDated) {
  const row = make(
    'tr',
    { role: 'row' },
    make('td', { role: 'cell', class: 'status' }),
    make('td', { role: 'cell', class: 'time' }, make('button', { type: 'button', class: 'open', tabindex: '-1' })),
    make('td', { role: 'cell', class: 'event' }),
    make('td', { role: 'cell', class: 'who' }),
    make('td', { role: 'cell', class: 'number mono' }));
  row.addEventListener('click', event => {
    if (!getSelection().toString() || event.target.closest('button')) {
      open(row);
    }
  });
  updateLine(row, journey, isDated);
  return row;
}

export function updateLine(row, journey, isDated) {
  row.journey = journey;
  row.dataset.state = journey.state;
  row.dataset.id = journey.id;
  const time = isDated ? momentOf(journey.receivedAt) : timeOf(journey.receivedAt);
  const reason = reasonOf(journey);
  const by = [
    journey.answeredBy ? `by the ${journey.answeredBy}` : '',
    journey.fromPage ? 'from this page' : '',
    journey.tries > 1 ? `${journey.tries} tries` : '',
    forwardsOf((journey.forwards ?? []).filter(forward => !isForwarded(forward))),
  ].filter(Boolean).join(', ');

  // The button stays the same one, or it would lose the focus and a click that has begun.
  const [status, , event, who, number] = row.cells;
  status.replaceChildren(badge(journey.state));
  row.querySelector('.open').replaceChildren(time, make('span', { class: 'unseen' }, `, ${wordOf(journey.state)} ${journey.kind ?? ''}, show details`));
  event.replaceChildren(
    make('span', { class: 'kind' }, journey.kind ?? 'no event'),
    by ? make('span', { class: 'by' }, ` ${by}`) : '',
    reason ? make('span', { class: 'reason' }, reason) : '');
  who.textContent = journey.agent ?? '';
  number.textContent = journey.number ?? '';
}

/** A table's lines are one tab stop: Up, Down, Home and End move from line to line; what is unfolded below a line is none. */
export function moveByKeys(table) {
  const body = table.tBodies[0];
  let stop = null;

  function stopAt(row) {
    for (const [each, isStop] of [[stop, false], [row, true]]) {
      if (each) {
        each.querySelector('.open').tabIndex = isStop ? 0 : -1;
      }
    }

    stop = row;
  }

  // The stop is where the focus was last; when that line is gone, or there was none, the first one.
  new MutationObserver(() => {
    if (!stop?.isConnected) {
      stopAt(body.querySelector('.open')?.closest('tr') ?? null);
    }
  }).observe(body, { childList: true });
  table.addEventListener('focusin', event => {
    if (event.target.classList.contains('open')) {
      stopAt(event.target.closest('tr'));
    }
  });
  table.addEventListener('keydown', event => {
    const buttons = [...table.querySelectorAll('tbody .open')];
    const at = buttons.indexOf(event.target);
    const next = at >= 0 && {
      ArrowDown: buttons[at + 1],
      ArrowUp: buttons[at - 1],
      Home: buttons[0],
      End: buttons.at(-1),
    }[event.key];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });
}
