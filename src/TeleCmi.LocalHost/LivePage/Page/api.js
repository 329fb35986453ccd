// Requests to the receiver. Each has a deadline and ends in a response or in words for a person.

const DEADLINE_MILLISECONDS = 30_000;

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, cache: 'no-store', signal: AbortSignal.timeout(DEADLINE_MILLISECONDS) });
  } catch {
    throw new Error('The receiver does not respond.');
  }

  const isJson = /^application\/(problem\+)?json/.test(response.headers.get('Content-Type'));
  const body = isJson ? await response.json() : null;
  if (!response.ok) {
    throw Object.assign(new Error(body?.detail ?? `The receiver responded with ${response.status}.`), { status: response.status });
  }

  return body;
}

export const get = path => send(path, {});

export const post = (path, body) => send(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});
