// Dead letters: what failed for good, to be replayed or discarded by a person. Equal ones are one group.

import { get, post } from './api.js';
import { byId, make, say } from './dom.js';
import { momentOf, prettyJson } from './text.js';

const REFRESH_MILLISECONDS = 500;

const REASONS = { poison: 'failed too often', rejected: 'could not be read', forward: 'could not be forwarded' };

export function createDeadLetters() {
  const list = byId('dead');
  const note = byId('dead-note');
  let refresh = 0;
  let total = null;
  // What the last replay or discard has done; it stays when the list follows it.
  let word = '';
  let newest = 0;

  byId('dead-refresh').addEventListener('click', () => load());

  async function load(said = '') {
    word = said;
    const reading = ++newest;
    try {
      const { groups, ...view } = await get('/live/dead-letters');
      if (reading !== newest) {
        return;
      }

      total = view.total;
      // Those that stay keep their element, and with it the focus and what is unfolded.
      const known = new Map([...list.children].map(item => [item.dataset.ids, item]));
      list.replaceChildren(...groups.map(group => known.get(idsOf(group).join()) ?? itemOf(group)));
      const letters = groups.reduce((sum, group) => sum + group.letters.length, 0);
      const count = letters === 0 ? 'There are none.' : `${total.toLocaleString()}${letters < total ? `; the oldest ${letters} are shown` : ''}, the oldest first, equal ones together.`;
      say(note, word ? `${word} ${count}` : count);
    } catch (error) {
      say(note, error.message);
    }
  }

  const idsOf = group => group.letters.map(letter => letter.id);

  function itemOf(group) {
    const count = group.letters.length;
    const what = group.kind ?? 'no event';
    const button = (text, path, done, question) => {
      const label = count > 1 ? `${text} all ${count}` : text;
      const element = make('button', { type: 'button' }, label, make('span', { class: 'unseen' }, ` ${what} of ${momentOf(group.letters[0].receivedAt)}`));
      element.addEventListener('click', async () => {
        if (question && !confirm(question)) {
          return;
        }

        element.disabled = true;
        try {
          const result = await post(path, { ids: idsOf(group) });
          byId('dead-title').tabIndex = -1;
          byId('dead-title').focus();
          await load([result.done > 0 ? `${result.done} ${done}` : '', ...result.faults].join(' '));
        } catch (error) {
          say(note, error.message);
        } finally {
          element.disabled = false;
        }
      });
      return element;
    };
    const content = count > 1 ? make('ul', { class: 'letters' }) : make('pre', { tabindex: '0' });
    const details = make('details', {}, make('summary', {}, count > 1 ? 'One by one' : 'As it came'), content);
    details.addEventListener('toggle', () => {
      if (!details.open || content.hasChildNodes()) {
        return;
      }

      if (count > 1) {
        content.append(...group.letters.map(letter => itemOf({ ...group, letters: [letter] })));
      } else {
        showBody(content, group.letters[0].id);
      }
    });
    return make(
      'li',
      { 'data-ids': idsOf(group).join() },
      make('div', { class: 'row spread' },
        make('span', {},
          make('strong', {}, REASONS[group.reason] ?? group.reason), ' ',
          make('span', { class: 'kind' }, what), group.destination ? ` to ${group.destination}` : '',
          count > 1 ? make('strong', {}, ` × ${count}`) : '',
          make('span', { class: 'by' }, ` ${momentOf(group.letters[0].receivedAt)}${count > 1 ? ` to ${momentOf(group.letters.at(-1).receivedAt)}` : ''}`)),
        make('span', { class: 'row' },
          button('Replay', '/live/dead-letters/replay', 'replayed: see the events above.', ''),
          button('Discard', '/live/dead-letters/discard', 'discarded.', count > 1 ? `Discard these ${count} dead letters for good?` : 'Discard this dead letter for good?'))),
      make('span', { class: 'reason' }, group.error),
      details);
  }

  async function showBody(element, id) {
    try {
      const body = await get(`/live/dead-letters/body?${new URLSearchParams({ id })}`);
      say(element, body.isBase64 ? `Not text; in Base64:\n${body.text}` : prettyJson(body.text));
    } catch (error) {
      say(element, error.message);
    }
  }

  return {
    load,
    /** How many are stored now, by whomever: the list follows. */
    counted(stored) {
      if (stored !== undefined && total !== null && stored !== total) {
        load(word);
      }
    },
    /** A journey that ended badly, or one that was replayed, may have changed the list. */
    changed(updates) {
      if (updates.some(journey => journey.state === 'dead' || journey.state === 'rejected')) {
        clearTimeout(refresh);
        refresh = setTimeout(load, REFRESH_MILLISECONDS);
      }
    },
  };
}
