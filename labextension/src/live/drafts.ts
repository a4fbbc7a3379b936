const PREFIX = 'jupyter-deepresearch:draft:';

/** What was typed and not sent yet, kept for this browser tab, also over a reload of the page. */
export class Drafts {
  get(key: string): string | null {
    return window.sessionStorage.getItem(PREFIX + key);
  }

  set(key: string, text: string): void {
    try {
      window.sessionStorage.setItem(PREFIX + key, text);
    } catch {
      // The browser's storage is full or forbidden: the text is still in its field.
    }
  }

  delete(key: string): void {
    window.sessionStorage.removeItem(PREFIX + key);
  }
}

/** A choice that is kept in this browser. */
export function remembered(name: string): string | null {
  return window.localStorage.getItem(`jupyter-deepresearch:${name}`);
}

export function remember(name: string, value: string): void {
  try {
    window.localStorage.setItem(`jupyter-deepresearch:${name}`, value);
  } catch {
    // Full or forbidden: it holds for this page then.
  }
}
