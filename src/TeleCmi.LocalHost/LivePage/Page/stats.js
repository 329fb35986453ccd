// Totals, queues and the chart of the last minutes.

import { byId, fillList, make } from './dom.js';
import { duration } from './text.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 100;

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }

  return element;
}

/** A line through the values that are there; gaps stay gaps. */
function pathOf(values, most) {
  let isDrawing = false;
  return values.map((value, i) => {
    if (value === undefined) {
      isDrawing = false;
      return '';
    }

    const y = HEIGHT - (value / most) * HEIGHT;
    const command = `${isDrawing ? 'L' : 'M'}${i},${y.toFixed(1)} L${i + 1},${y.toFixed(1)} `;
    isDrawing = true;
    return command;
  }).join('');
}

export function createStats() {
  const chart = byId('chart');
  const bars = svg('path', { class: 'bars' });
  const processed = svg('path', { class: 'done-line' });
  const p50 = svg('path', { class: 'p50-line' });
  const p95 = svg('path', { class: 'p95-line' });
  const counts = svg('svg', { role: 'img', preserveAspectRatio: 'none', 'aria-label': 'Events of the last minutes' });
  const times = svg('svg', { role: 'img', preserveAspectRatio: 'none', class: 'small', 'aria-label': 'Response times of the last minutes' });
  counts.append(bars, processed);
  times.append(p95, p50);
  const countsKey = make('figcaption', {});
  const countsScale = make('div', { class: 'scale', 'aria-hidden': 'true' });
  const timesScale = make('div', { class: 'scale', 'aria-hidden': 'true' });
  const axis = make('div', { class: 'axis', 'aria-hidden': 'true' });
  chart.append(make('div', { class: 'plot' }, countsScale, counts, timesScale, times, axis), countsKey);
  let drawn = '';
  let letters = null;

  function draw(stats) {
    // Redrawn only when something has changed: an idle page does nothing.
    const now = JSON.stringify([stats, letters]);
    if (now === drawn) {
      return;
    }

    drawn = now;
    const { totals, buckets, bucketSeconds } = stats;
    const total = (...states) => states.reduce((sum, state) => sum + (totals[state] ?? 0), 0).toLocaleString();
    fillList(byId('totals'), [
      ['received', total('all')],
      ['processed', total('processed')],
      ['duplicates', total('duplicate', 'variant')],
      ['ignored', total('ignored')],
      ['refused', total('rejected', 'refused', 'unavailable')],
      ['dead letters stored', letters === null ? 'unknown' : letters.toLocaleString()],
    ]);
    byId('queues').replaceChildren(...stats.queues.map(queue => make(
      'div',
      {},
      make('dt', {}, queue.name, make('small', {}, queue.isPoison ? 'failed too often, on the way to the dead letters' : 'waiting for their work')),
      make('dd', {}, queue.depth === undefined ? 'unknown' : queue.depth.toLocaleString()))));

    const most = scaleOf(buckets.map(bucket => Math.max(bucket.received, bucket.processed)));
    const slowest = scaleOf(buckets.map(bucket => bucket.p95 ?? 0));
    const peak = Math.max(...buckets.map(bucket => bucket.received));
    const box = `0 0 ${buckets.length} ${HEIGHT}`;
    counts.setAttribute('viewBox', box);
    times.setAttribute('viewBox', box);
    bars.setAttribute('d', buckets.map(({ received }, i) => {
      const height = (received / most) * HEIGHT;
      return received ? `M${i + 0.1},${HEIGHT}v${-height.toFixed(1)}h.8v${height.toFixed(1)}z` : '';
    }).join(''));
    processed.setAttribute('d', pathOf(buckets.map(bucket => bucket.processed || bucket.received ? bucket.processed : undefined), most));
    p50.setAttribute('d', pathOf(buckets.map(bucket => bucket.p50), slowest));
    p95.setAttribute('d', pathOf(buckets.map(bucket => bucket.p95), slowest));

    const minutes = Math.round((buckets.length * bucketSeconds) / 60);
    const received = buckets.reduce((sum, bucket) => sum + bucket.received, 0);
    const finished = buckets.reduce((sum, bucket) => sum + bucket.processed, 0);
    counts.setAttribute('aria-label', `Last ${minutes} minutes: ${received} received, ${finished} processed; at most ${peak} in ${bucketSeconds} seconds.`);
    times.setAttribute('aria-label', `Response time in the last ${minutes} minutes: half within ${duration(stats.p50)}, 95 of 100 within ${duration(stats.p95)}.`);
    countsScale.replaceChildren(...ticksOf(most, `events in ${bucketSeconds} s`, tick => tick.toLocaleString()));
    timesScale.replaceChildren(...ticksOf(slowest, 'response time', duration));
    axis.replaceChildren(...[minutes, minutes / 2, 0].map(ago => make('span', {}, ago === 0 ? 'now' : `${ago} min ago`)));
    countsKey.replaceChildren(
      key('received', `received ${received}`),
      key('processed', `processed ${finished}`),
      key('p50', `response p50 ${duration(stats.p50)}`),
      key('p95', `p95 ${duration(stats.p95)}`));
  }

  return { draw, set deadLetters(count) { letters = count ?? null; } };
}

/** The top of a scale: the next 1, 2 or 5 with zeros that has room for every value. */
function scaleOf(values) {
  const most = Math.max(1, ...values);
  const power = 10 ** Math.floor(Math.log10(most));
  return power * [1, 2, 5, 10].find(step => step * power >= most);
}

/** What a scale says: its top, its unit, and zero. */
const ticksOf = (most, unit, write) => [make('span', {}, write(most)), make('span', { class: 'unit' }, unit), make('span', {}, '0')];

const key = (name, text) => make('span', {}, make('span', { class: `key key-${name}`, 'aria-hidden': 'true' }), text);
