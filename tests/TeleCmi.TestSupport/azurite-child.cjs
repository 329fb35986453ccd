// Loaded into Azurite before its own code. Azurite has to live exactly as long as the receiver that started it: the
// receiver holds the other end of stdin, which closes when it ends, however it ends. Ctrl+C reaches every process of a
// terminal, so it is left to the receiver, which first finishes what is in flight.
'use strict';

const once = process.once;
process.once = function (event, listener) {
  return event === 'SIGINT' ? this : once.call(this, event, listener);
};
process.on('SIGINT', () => {});

const GRACE_MILLISECONDS = 5000;
process.stdin.on('end', () => {
  process.emit('SIGTERM');
  setTimeout(() => process.exit(0), GRACE_MILLISECONDS).unref();
});
process.stdin.resume();
