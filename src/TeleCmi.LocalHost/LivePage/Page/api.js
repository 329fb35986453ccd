// Questions and orders to the receiver. Each has a deadline and ends in an answer or in words for a person.

const DEADLINE_MILLISECONDS = 30_000;

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, cache: 'no-store', signal: AbortSignal.timeout(DEADLINE_MILLISECONDS) });
  } catch {
    throw new Error('The receiver does not answer.');
  }

  const isJson = response.headers.get('Content-Type')?.startsWith('application/json');
  const answer = isJson ? await response.json() : null;
  if (!response.ok) {
    throw Object.assign(new Error(answer?.message ?? `The receiver answered ${response.status}.`), { status: response.status });
  }

  return answer;
}

export const get = path => ask(path, {});

export const order = (path, body) => ask(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});
