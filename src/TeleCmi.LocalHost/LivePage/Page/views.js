// The page's views, as tabs: one is shown, the address remembers which.

/** `onShown` hears which view is shown now. */
export function createViews(onShown) {
  const tabs = [...document.querySelectorAll('[role="tab"]')];

  function show(tab) {
    for (const each of tabs) {
      const isShown = each === tab;
      each.setAttribute('aria-selected', isShown);
      each.tabIndex = isShown ? 0 : -1;
      document.getElementById(each.getAttribute('aria-controls')).hidden = !isShown;
    }

    onShown(tab.getAttribute('aria-controls'));
  }

  tabs.forEach((tab, i) => {
    const choose = chosen => {
      show(chosen);
      history.replaceState(null, '', `#${chosen.getAttribute('aria-controls')}`);
    };
    tab.addEventListener('click', () => choose(tab));
    tab.addEventListener('keydown', event => {
      const next = {
        ArrowRight: tabs[(i + 1) % tabs.length],
        ArrowLeft: tabs.at(i - 1),
        Home: tabs[0],
        End: tabs.at(-1),
      }[event.key];
      if (next) {
        event.preventDefault();
        choose(next);
        next.focus();
      }
    });
  });
  const tabOf = view => tabs.find(tab => tab.getAttribute('aria-controls') === view);
  show(tabs.find(tab => `#${tab.getAttribute('aria-controls')}` === location.hash) ?? tabs[0]);
  return { show: view => show(tabOf(view)) };
}
