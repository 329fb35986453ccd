// Everything that is shown goes through here: text is text, whatever an event holds.

/** Makes an element: attributes (null leaves one out, true writes it bare), then children, text or elements. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }

  element.append(...children.filter(child => child !== null && child !== undefined && child !== ''));
  return element;
}

export const byId = id => document.getElementById(id);

/** Changes a text only when it differs, so that screen readers are not told again. */
export function say(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Names and values as a description list's groups. */
export function fillList(list, pairs) {
  list.replaceChildren(...pairs.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))));
}

/** Names and values, without those that say nothing. */
export function facts(pairs) {
  return make('dl', { class: 'facts' }, ...pairs.filter(([, value]) => value).flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
}

/** Copies a text; where the browser does not allow it, selects it for the person to copy. */
export async function copy(text, shownIn) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (shownIn) {
      getSelection().selectAllChildren(shownIn);
    }

    return false;
  }
}
