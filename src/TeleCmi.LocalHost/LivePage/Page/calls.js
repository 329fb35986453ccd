// Calls: what the journal has of a day, one row for each conversation. Read again when events arrive, never more often than once a second.

import { get } from './api.js';
import { byId, facts, fillList, make, say } from './dom.js';
import { badgeOf, moveByKeys } from './journeys.js';
import { duration, momentOf, secondOf, talk } from './text.js';

const INTERVAL_MILLISECONDS = 1000;
// What takes long is asked for more rarely.
const REST_PER_READ = 3;
const TYPING_MILLISECONDS = 400;
const MOST_DAYS = 31;

/** Word and sign of each outcome; styles add an edge, so that colour is never the only mark. */
const OUTCOMES = {
  reached: { word: 'reached', sign: '✓' },
  busy: { word: 'busy', sign: '⊘' },
  no_answer: { word: 'no answer', sign: '✕' },
  agent_missed: { word: 'agent missed', sign: '!' },
  answered: { word: 'answered', sign: '✓' },
  missed: { word: 'missed', sign: '✕' },
  in_progress: { word: 'in progress', sign: '…' },
  unknown: { word: 'unknown', sign: '?' },
};

const DIRECTIONS = { outgoing: { word: 'outgoing', sign: '↗' }, incoming: { word: 'incoming', sign: '↙' } };

const outcomeOf = call => OUTCOMES[call.outcome] ?? { word: call.outcome, sign: '?' };

export function createCalls() {
  const table = byId('calls');
  const body = table.tBodies[0];
  const note = byId('calls-note');
  const reveal = byId('calls-reveal');
  const fields = { day: byId('calls-day'), agent: byId('calls-agent'), number: byId('calls-number'), outcome: byId('calls-outcome'), kind: byId('calls-kind'), conversation: byId('calls-conversation') };
  const earlier = byId('calls-earlier');
  // How many days are shown, the last of them as chosen.
  let days = 1;
  // By call: its row and, when it is unfolded, the row with its events.
  const rows = new Map();
  let isReading = false;
  let isStale = false;
  let isWanted = false;
  let timer = 0;
  let earliest = 0;
  // With more than one day, a time alone says too little.
  let isDated = false;

  fields.outcome.append(...Object.entries(OUTCOMES).map(([outcome, { word }]) => new Option(word, outcome)));
  moveByKeys(table);
  byId('calls-filter').addEventListener('submit', event => event.preventDefault());
  for (const element of [fields.agent, fields.number, fields.conversation]) {
    element.addEventListener('input', () => want(TYPING_MILLISECONDS));
  }

  for (const element of [fields.outcome, fields.kind, reveal]) {
    element.addEventListener('change', () => want(0));
  }

  fields.day.addEventListener('change', () => {
    days = 1;
    want(0);
  });
  earlier.addEventListener('click', () => {
    days++;
    want(0);
  });

  /** Reads again soon; many wishes are one reading. */
  function want(milliseconds) {
    isWanted = true;
    if (!isReading) {
      clearTimeout(timer);
      timer = setTimeout(load, milliseconds);
    }
  }

  async function load() {
    isReading = true;
    isWanted = false;
    const began = performance.now();
    const asked = new URLSearchParams(Object.entries(fields).map(([name, field]) => [name, field.value]));
    asked.set('days', days);
    asked.set('reveal', reveal.checked);
    try {
      const view = await get(`/live/calls?${asked}`);
      const unfolded = view.calls.filter(call => rows.get(call.id)?.events);
      draw(view, new Map(await Promise.all(unfolded.map(async call => [call.id, await eventsOf(call.id)]))));
    } catch (error) {
      say(note, error.message);
    }

    isReading = false;
    const ended = performance.now();
    const rest = Math.max(INTERVAL_MILLISECONDS, (ended - began) * REST_PER_READ);
    earliest = ended + rest;
    if (isWanted) {
      want(rest);
    }
  }

  function draw(view, details) {
    const { figures, calls } = view;
    fillList(byId('calls-figures'), [
      ['calls', figures.calls.toLocaleString()],
      ['reached', figures.reached.toLocaleString()],
      ['connect rate', figures.calls === 0 ? '–' : `${Math.round(figures.connectRate * 100)} %`],
      ['talk time', talk(figures.talkSeconds)],
      ['to call back', figures.toCallBack.toLocaleString()],
    ]);
    say(byId('calls-of'), `${view.from === view.to ? '' : `${view.from} to `}${view.to} (UTC)`);
    earlier.hidden = days === MOST_DAYS || fields.conversation.value.trim() !== '';
    isDated = view.from !== view.to || earlier.hidden;
    const wanted = new Set(calls.map(call => call.id));
    for (const [id, row] of rows) {
      if (!wanted.has(id)) {
        rows.delete(id);
        row.events?.remove();
        row.remove();
      }
    }

    // A row that stays is not moved: it keeps the focus.
    let next = body.firstElementChild;
    for (const call of calls) {
      const row = rows.get(call.id) ?? rowOf(call.id);
      if (row === next) {
        next = next.nextElementSibling;
      } else {
        body.insertBefore(row, next);
      }

      updateRow(row, call);
      if (row.events) {
        if (details.has(call.id)) {
          row.events.firstElementChild.replaceChildren(details.get(call.id));
        }

        if (row.events === next) {
          next = next.nextElementSibling;
        } else {
          body.insertBefore(row.events, next);
        }
      }
    }

    table.hidden = calls.length === 0;
    say(note, calls.length > 0 ? (view.hasMore ? `The newest ${calls.length} are shown, and there are more: narrow the choice.` : '')
      : figures.calls > 0 ? 'No call matches.' : days > 1 ? 'No call on these days.' : 'No call on this day yet.');
  }

  function rowOf(id) {
    const row = make(
      'tr',
      { role: 'row' },
      make('td', { role: 'cell', class: 'time' }, make('button', { type: 'button', class: 'open', tabindex: '-1' })),
      ...['event', 'who', 'number mono', 'talk'].map(name => make('td', { role: 'cell', class: name })));
    row.addEventListener('click', event => {
      if (!getSelection().toString() || event.target.closest('button')) {
        toggle(row, id);
      }
    });
    rows.set(id, row);
    return row;
  }

  function updateRow(row, call) {
    const state = JSON.stringify([call, Boolean(row.events), isDated]);
    if (row.state === state) {
      return;
    }

    row.state = state;
    row.dataset.outcome = call.outcome;
    row.call = call;
    const outcome = outcomeOf(call);
    const direction = DIRECTIONS[call.direction];

    // The button stays the same one, or it would lose the focus and a click that has begun.
    const button = row.querySelector('.open');
    const [, event, who, number, talked] = row.cells;
    button.title = momentOf(call.startedAt);
    button.setAttribute('aria-expanded', String(Boolean(row.events)));
    button.replaceChildren(
      isDated ? momentOf(call.startedAt) : secondOf(call.startedAt),
      make('span', { class: 'unseen' }, `, ${direction?.word ?? ''} call ${outcome.word}, its events`));
    event.replaceChildren(
      badgeOf(outcome),
      direction ? make('span', { class: 'by' }, make('span', { 'aria-hidden': 'true' }, `${direction.sign} `), direction.word) : '');
    who.textContent = call.agent ?? '';
    number.textContent = call.number ?? '';
    talked.replaceChildren(
      call.talkSeconds === undefined ? '' : talk(call.talkSeconds),
      call.hasRecording ? make('span', { class: 'by' }, make('span', { 'aria-hidden': 'true' }, ' ◉'), ' recorded') : '');
  }

  async function toggle(row, id) {
    if (row.events) {
      row.events.remove();
      row.events = null;
    } else {
      const cell = make('td', { role: 'cell', colspan: '5' }, 'Reading …');
      row.events = make('tr', { role: 'row', class: 'unfolded' }, cell);
      row.after(row.events);
      eventsOf(id).then(events => cell.replaceChildren(events));
    }

    updateRow(row, row.call);
  }

  async function eventsOf(id) {
    try {
      return detailOf(await get(`/live/calls/call?${new URLSearchParams({ id, reveal: reveal.checked })}`));
    } catch (error) {
      return make('p', {}, error.message);
    }
  }

  return {
    /** What the receiver says of itself. */
    greet(hello) {
      if (fields.kind.options.length === 1) {
        fields.kind.append(...hello.kinds.map(kind => new Option(kind)));
      }

      // Without the detail records of the calls nobody knows how they ended.
      byId('calls-accepted').hidden = hello.acceptedEvents.some(kind => kind === '*' || kind.startsWith('cdr.'));
      want(0);
    },
    /** Something has come in. */
    changed(updates) {
      if (updates.length > 0 && byId('view-calls').hidden) {
        isStale = true;
      } else if (updates.length > 0 && !isWanted) {
        want(Math.max(INTERVAL_MILLISECONDS / 2, earliest - performance.now()));
      }
    },
    /** The view is looked at again. */
    shown() {
      if (isStale) {
        isStale = false;
        want(0);
      }
    },
  };
}

/** Each attempt with its status and time, and when the next one is due. */
function attemptsOf({ attempts, nextAttemptAt }) {
  const each = attempts.map(({ at, status, milliseconds }) => `${secondOf(at)} ${status ?? 'no response'} in ${duration(milliseconds)}`);
  return [...each, nextAttemptAt ? `next attempt ${momentOf(nextAttemptAt)}` : ''].filter(Boolean).join('; ');
}

function detailOf({ call, ...detail }) {
  const moment = time => time === undefined ? '' : momentOf(time);
  return make(
    'div',
    {},
    make('ol', { class: 'call-events' }, ...detail.events.map(event => make(
      'li',
      {},
      make('span', { class: 'mono' }, secondOf(event.receivedAt)), ' ',
      make('span', { class: 'kind' }, event.kind),
      event.leg ? ` leg ${event.leg} ` : ' ',
      make('span', { class: 'by mono' }, event.id)))),
    detail.deliveries.length === 0 ? '' : make('h3', {}, 'Deliveries'),
    detail.deliveries.length === 0 ? '' : make('ul', { class: 'call-events deliveries' }, ...detail.deliveries.map(delivery => make(
      'li',
      {},
      make('strong', {}, delivery.state), ` ${delivery.destination} `,
      make('span', { class: 'kind' }, delivery.kind), ' ',
      make('span', { class: 'by' }, attemptsOf(delivery)),
      delivery.fault ? make('span', { class: 'reason' }, delivery.fault) : ''))),
    facts([
      ['Call', call.id],
      ['Began', momentOf(call.startedAt)],
      ['Agent answered', moment(detail.agentAnsweredAt)],
      ['Customer answered', moment(detail.customerAnsweredAt)],
      ['Ended', moment(detail.endedAt)],
      ['Waited', detail.waitSeconds === undefined ? '' : talk(detail.waitSeconds)],
      ['Hangup reason', detail.hangupReason],
      ['Business number', detail.businessNumber],
      ['Team', detail.team],
      ['Click2call request', detail.requestId],
      ['Recording', detail.recording],
      ['Voicemail', detail.voicemail ? 'yes' : ''],
      ['Not here', detail.missing.join(', ')],
    ]));
}
