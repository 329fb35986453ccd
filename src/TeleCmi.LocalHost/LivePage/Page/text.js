// How times, JSON and commands are written.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export const timeOf = iso => clock.format(new Date(iso));

export const momentOf = iso => dayAndTime.format(new Date(iso));

export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) {
    return '–';
  }

  if (milliseconds < 10) {
    return `${milliseconds.toFixed(1)} ms`;
  }

  if (milliseconds < 1000) {
    return `${Math.round(milliseconds)} ms`;
  }

  const seconds = milliseconds / 1000;
  return seconds < 120 ? `${seconds.toFixed(1)} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/**
 * Breaks JSON into indented lines without reading its values, so that long numbers, repeated names and escapes stay as
 * they came. Text that is no JSON is given back as it is.
 */
export function prettyJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }

  let result = '';
  let depth = 0;
  const newLine = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs)) {
    if (token === '{' || token === '[') {
      depth++;
      result += token + newLine();
    } else if (token === '}' || token === ']') {
      depth--;
      result = /[{[]\s*$/.test(result) ? result.trimEnd() + token : result + newLine() + token;
    } else {
      result += token === ',' ? token + newLine() : token === ':' ? ': ' : token;
    }
  }

  return result;
}

/** A query's fields, one a line, decoded. */
export function prettyQuery(query) {
  return [...new URLSearchParams(query)].map(([name, value]) => `${name} = ${value}`).join('\n');
}

/** Quotes a word for a POSIX shell. Control characters are escaped, because a terminal obeys them when they are pasted. */
export function quote(word) {
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(word)) {
    return `'${word.replaceAll("'", "'\\''")}'`;
  }

  const escaped = word
    .replace(/[\\']/g, '\\$&')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `$'${escaped}'`;
}

/** The command that sends the same request to this receiver. */
export function curlOf(request, origin) {
  const address = `${origin}/api/telecmi/events`;
  const content = request.content ?? '';
  if (request.isQuery) {
    return `curl ${request.method === 'GET' ? '' : `-X ${request.method} `}${quote(content ? `${address}?${content}` : address)}`;
  }

  const type = request.contentType ? `-H ${quote(`Content-Type: ${request.contentType}`)} ` : '';
  return request.isBase64
    ? `echo ${quote(content)} | base64 -d | curl -X ${request.method} ${type}--data-binary @- ${quote(address)}`
    : `curl -X ${request.method} ${type}--data-binary ${quote(content)} ${quote(address)}`;
}
