// How times, JSON and commands are written.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const seconds = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

export const secondOf = iso => seconds.format(new Date(iso));

/** How long somebody talked: minutes and seconds, as a clock has them. */
export function talk(total) {
  const two = number => String(number).padStart(2, '0');
  const minutes = Math.floor(total / 60);
  return minutes < 60 ? `${minutes}:${two(total % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(total % 60)}`;
}

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

/** Quotes a word for a POSIX shell. */
const quote = word => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * The command that sends the same request to this receiver; null when there is none that would be the same and safe to
 * paste: a shell takes no NUL, and a terminal obeys control characters.
 */
export function curlOf({ method, isQuery, contentType, content }, origin) {
  const address = `${origin}/api/telecmi/events`;
  if (!content || content.isBase64 || /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(content.text + (contentType ?? ''))) {
    return null;
  }

  return isQuery
    ? `curl -g -X ${quote(method)} ${quote(`${address}?${content.text.replaceAll('#', '%23')}`)}`
    : `curl -g -X ${quote(method)} -H ${quote(`Content-Type:${contentType ? ` ${contentType}` : ''}`)} --data-raw ${quote(content.text)} ${quote(address)}`;
}
