import { createAttention } from './attention.js';
import { createCalls } from './calls.js';
import { byId, say } from './dom.js';
import { createConnect } from './connect.js';
import { createDeadLetters } from './deadletters.js';
import { createDetail } from './detail.js';
import { createLines } from './lines.js';
import { createOlder } from './older.js';
import { createStats } from './stats.js';
import { listen } from './stream.js';
import { createViews } from './views.js';

const LINK = { live: 'Live', lost: 'Connection lost, trying again …', locked: 'Restarted: open the address that the receiver printed' };

const calls = createCalls();
const views = createViews(view => view === 'view-calls' && calls.shown());
const detail = createDetail();
const lines = createLines(detail.open);
const connect = createConnect();
const deadLetters = createDeadLetters();
const stats = createStats();
const attention = createAttention(views.show);
createOlder(detail.open);

function take(journeys) {
  lines.take(journeys);
  detail.changed(journeys);
  deadLetters.changed(journeys);
  connect.count(lines.count);
  calls.changed(journeys);
}

listen(
  {
    hello(hello) {
      lines.dropped = hello.dropped;
      connect.greet(hello);
      calls.greet(hello);
      take(hello.journeys);
      deadLetters.load();
    },
    journeys: update => take(update.journeys),
    attention(update) {
      attention.draw(update);
      stats.deadLetters = update.deadLetters;
      deadLetters.counted(update.deadLetters);
    },
    stats: update => stats.draw(update),
  },
  link => {
    byId('link').dataset.link = link;
    say(byId('link'), LINK[link]);
  });
