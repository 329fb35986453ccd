// All there is to know about one event, to read, search, copy and send again.

import { get, post } from './api.js';
import { badge, reasonOf, way, wordOf } from './journeys.js';
import { byId, copy, facts, make, say } from './dom.js';
import { curlOf, duration, momentOf, prettyJson, prettyQuery } from './text.js';

const REFRESH_MILLISECONDS = 300;

export function createDetail() {
  const dialog = byId('detail');
  const body = byId('detail-body');
  const find = byId('detail-find');
  const note = byId('detail-note');
  let shown = null;
  let request = null;
  let command = null;
  let place = 0;
  let refresh = 0;
  // The line that the detail was opened from, or has moved on to.
  let row = null;

  byId('detail-previous').addEventListener('click', () => move('previousElementSibling'));
  byId('detail-next').addEventListener('click', () => move('nextElementSibling'));
  byId('detail-copy').addEventListener('click', () => copyText(request.content.text, byId('detail-event')));
  byId('detail-close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', event => {
    // Only the backdrop is the dialog itself.
    if (event.target === dialog) {
      dialog.close();
    }
  });
  dialog.addEventListener('close', () => {
    shown = null;
    row?.querySelector('.open')?.focus();
    clearTimeout(refresh);
  });
  find.addEventListener('input', () => {
    place = 0;
    markFound();
  });
  find.addEventListener('keydown', event => {
    if (event.key === 'Enter') {
      event.preventDefault();
      place += event.shiftKey ? -1 : 1;
      goToFound();
    }
  });
  byId('detail-curl').addEventListener('click', () => copyText(command, byId('detail-command')));
  byId('detail-again').addEventListener('click', sendAgain);

  async function copyText(text, shownIn) {
    const isCopied = await copy(text, shownIn);
    say(note, isCopied ? 'It is in the clipboard.' : 'The browser does not allow copying here: the text is selected below.');
  }

  function move(sibling) {
    if (row?.[sibling]) {
      open(row[sibling]);
    }
  }

  async function open(line) {
    row = line;
    shown = line.journey;
    say(note, '');
    find.value = '';
    place = 0;
    await load();
    if (shown && !dialog.open) {
      dialog.showModal();
    }
  }

  async function load() {
    const journey = shown;
    try {
      const detail = await detailOf(journey);
      if (shown?.id === journey.id) {
        show(detail);
      }
    } catch (error) {
      if (shown?.id === journey.id) {
        request = command = null;
        showHead(journey);
        body.replaceChildren(make('p', {}, error.message));
      }
    }
  }

  async function detailOf({ id, partition, row }) {
    try {
      return await get(`/live/detail?${new URLSearchParams({ id, ...(row ? { partition, row } : {}) })}`);
    } catch (error) {
      throw error.status === 404
        ? new Error('The receiver does not keep this one in memory any more: it has been restarted since, or many came after it.')
        : error;
    }
  }

  function showHead(journey) {
    byId('detail-title').replaceChildren(badge(journey.state), journey.kind ?? 'no event');
    dialog.dataset.state = journey.state;
    byId('detail-again').disabled = byId('detail-copy').disabled = !request?.content;
    byId('detail-curl').disabled = !command;
    byId('detail-previous').disabled = !row.previousElementSibling;
    byId('detail-next').disabled = !row.nextElementSibling;
  }

  /** Names and values, each with a button that copies it. */
  const copyable = fields => make('dl', { class: 'facts' }, ...fields.flatMap(({ name, value }) => {
    const text = make('dd', {}, value);
    const button = make('button', { type: 'button', class: 'copy' }, 'Copy', make('span', { class: 'unseen' }, ` ${name}`));
    button.addEventListener('click', () => copyText(value, text));
    return [make('dt', {}, name, button), text];
  }));

  function show(detail) {
    const { journey } = detail;
    request = detail.request ?? null;
    // A refused request is a stranger's text: nothing of it goes near a shell.
    command = request && journey.state !== 'refused' ? curlOf(request, location.origin) : null;
    showHead(journey);
    const parts = [
      make('p', { class: 'reason' }, reasonOf(journey)),
      detail.fields.length > 0 ? part('Fields', copyable(detail.fields)) : '',
      part('Way', make('div', {}, way(journey), facts([
      ['Status', wordOf(journey.state)],
      ['Received', momentOf(journey.receivedAt)],
      ['Answered by', journey.answeredBy],
      ['Response', journey.status ? `${journey.status} in ${duration(journey.responseMs)}` : ''],
      ['Work began', journey.startedMs === undefined ? '' : `${duration(journey.startedMs)} after receipt`],
      ['Processed', journey.processedMs === undefined ? '' : `${duration(journey.processedMs)} after receipt`],
      ['Tries', journey.tries ? String(journey.tries) : ''],
    ]))),
    ].filter(Boolean);
    if (request) {
      const content = request.content === undefined ? 'Nothing that could be kept.'
        : request.content.isBase64 ? request.content.text
        : request.isQuery ? prettyQuery(request.content.text) : prettyJson(request.content.text);
      parts.push(part(`The event as it came${request.content?.isBase64 ? ' (not text; in Base64)' : ''}`, code(content, 'detail-event')));
      parts.push(part('Request', facts([
        ['Method', request.method], ['Path', request.path], ...request.headers.map(header => [header.name, header.value]),
      ])));
    }

    if (command) {
      parts.push(part('As curl', code(command, 'detail-command')));
    }

    if (detail.response) {
      parts.push(part('Response', code(prettyJson(detail.response))));
    }

    if (detail.envelope) {
      parts.push(part('Envelope (CloudEvents)', code(prettyJson(detail.envelope))));
    }

    if (detail.row) {
      parts.push(part('Journal row', facts(columnsOf(detail.row))));
    } else if (detail.rowFault) {
      parts.push(part('Journal row', make('p', {}, detail.rowFault)));
    }

    body.replaceChildren(...parts);
    markFound();
  }

  async function sendAgain() {
    const { id, partition, row } = shown;
    byId('detail-again').disabled = true;
    try {
      const response = await post('/live/send-again', { id, partition, row });
      say(note, `Sent again; the response was ${response.status}. Its line is in the list.`);
    } catch (error) {
      say(note, error.message);
    } finally {
      byId('detail-again').disabled = !request?.content;
    }
  }

  function markFound() {
    const wanted = find.value.toLowerCase();
    for (const element of body.querySelectorAll('dd, pre')) {
      const text = element.textContent;
      element.replaceChildren(...(wanted ? marked(text, wanted) : [text]));
    }

    goToFound();
  }

  function goToFound() {
    const marks = [...body.querySelectorAll('mark')];
    place = marks.length ? (place + marks.length) % marks.length : 0;
    marks.forEach((mark, i) => mark.classList.toggle('here', i === place));
    marks[place]?.scrollIntoView({ block: 'center' });
    say(byId('detail-found'), !find.value ? '' : marks.length ? `${place + 1} of ${marks.length}` : 'not found');
  }

  /** The pipeline tells that this one has moved on. */
  function changed(updates) {
    if (shown && updates.some(journey => journey.id === shown.id)) {
      clearTimeout(refresh);
      refresh = setTimeout(load, REFRESH_MILLISECONDS);
    }
  }

  return { open, changed };
}

function marked(text, wanted) {
  const parts = [];
  const lower = text.toLowerCase();
  let from = 0;
  // A letter whose lower case is longer would shift every place after it.
  let at = lower.length === text.length ? lower.indexOf(wanted) : -1;
  while (at >= 0) {
    parts.push(text.slice(from, at), make('mark', {}, text.slice(at, at + wanted.length)));
    from = at + wanted.length;
    at = lower.indexOf(wanted, from);
  }

  parts.push(text.slice(from));
  return parts;
}

const part = (title, content) => make('section', {}, make('h3', {}, title), content);

const code = (text, id = null) => make('pre', { id, tabindex: '0' }, text);

/** A row's columns under the names that they have in the table. */
const columnsOf = ({ key, handlers, ...columns }) => [
  ['PartitionKey', key.partition], ['RowKey', key.row],
  ...Object.entries(columns).map(([name, value]) => [name[0].toUpperCase() + name.slice(1), value]),
  ...Object.entries(handlers).map(([name, state]) => [`Handler_${name}`, state]),
];
