const PREFIX = 'jupyter-deepresearch:draft:';

/** What was typed and not sent yet, kept for this browser tab, also over a reload of the page. */
export class Drafts {
  get(key: string): string | null {
    return stored(() => window.sessionStorage, PREFIX + key);
  }

  set(key: string, text: string): void {
    try {
      window.sessionStorage.setItem(PREFIX + key, text);
    } catch {
      // The browser's storage is full or forbidden: the text is still in its field.
    }
  }

  delete(key: string): void {
    try {
      window.sessionStorage.removeItem(PREFIX + key);
    } catch {
      // Nothing was kept.
    }
  }
}

/** A choice that is kept in this browser. */
export function remembered(name: string): string | null {
  return stored(() => window.localStorage, `jupyter-deepresearch:${name}`);
}

/** Null, too, where the browser forbids its storage: even naming it throws then. */
function stored(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    window.localStorage.setItem(`jupyter-deepresearch:${name}`, value);
  } catch {
    // Full or forbidden: it holds for this page then.
  }
}
