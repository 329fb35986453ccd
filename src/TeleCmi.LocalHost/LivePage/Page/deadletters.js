// Dead letters: what failed for good, to be replayed or discarded by a person.

import { get, order } from './api.js';
import { byId, make, say } from './dom.js';
import { momentOf, prettyJson } from './text.js';

const REFRESH_MILLISECONDS = 500;

const REASONS = { poison: 'failed too often', rejected: 'could not be read', forward: 'could not be handed on' };

export function createDeadLetters() {
  const list = byId('dead');
  const note = byId('dead-note');
  let refresh = 0;

  byId('dead-refresh').addEventListener('click', () => load());

  async function load(word = '') {
    try {
      const { letters, hasMore } = await get('/live/dead-letters');
      // Those that stay keep their element, and with it the focus and what is unfolded.
      const known = new Map([...list.children].map(item => [item.dataset.id, item]));
      list.replaceChildren(...letters.map(letter => known.get(letter.id) ?? itemOf(letter)));
      const count = letters.length === 0 ? 'There are none.' : `${letters.length}${hasMore ? ' of more' : ''}, the oldest first.`;
      say(note, word ? `${word} ${count}` : count);
    } catch (error) {
      say(note, error.message);
    }
  }

  function itemOf(letter) {
    const what = letter.kind ?? 'no event';
    const carryOut = (path, question, done) => async event => {
      if (question && !confirm(question)) {
        return;
      }

      event.target.disabled = true;
      try {
        const answer = await order(path, { id: letter.id });
        byId('dead-title').tabIndex = -1;
        byId('dead-title').focus();
        await load(answer.message ?? done);
      } catch (error) {
        say(note, error.message);
      } finally {
        event.target.disabled = false;
      }
    };
    const replay = make('button', { type: 'button' }, 'Replay', make('span', { class: 'unseen' }, ` ${what} of ${momentOf(letter.receivedAt)}`));
    const discard = make('button', { type: 'button' }, 'Discard', make('span', { class: 'unseen' }, ` ${what} of ${momentOf(letter.receivedAt)}`));
    replay.addEventListener('click', carryOut('/live/dead-letters/replay', null, 'Replayed: its line goes on above.'));
    discard.addEventListener('click', carryOut('/live/dead-letters/discard', 'Discard this dead letter for good?', 'Discarded.'));
    return make(
      'li',
      { 'data-id': letter.id },
      make('div', { class: 'row spread' },
        make('span', {}, make('strong', {}, REASONS[letter.reason] ?? letter.reason), ' ', make('span', { class: 'kind' }, what), make('span', { class: 'by' }, ` ${momentOf(letter.receivedAt)}`)),
        make('span', { class: 'row' }, replay, discard)),
      make('span', { class: 'reason' }, letter.error),
      make('details', {}, make('summary', {}, letter.isBase64 ? 'As it came (not text; in Base64)' : 'As it came'), make('pre', { tabindex: '0' }, prettyJson(letter.body))));
  }

  return {
    load,
    /** A journey that ended badly, or one that was replayed, may have changed the list. */
    changed(updates) {
      if (updates.some(journey => journey.state === 'dead' || journey.state === 'rejected')) {
        clearTimeout(refresh);
        refresh = setTimeout(load, REFRESH_MILLISECONDS);
      }
    },
  };
}
