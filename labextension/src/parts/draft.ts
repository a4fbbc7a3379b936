import { useDraft } from './surroundings';

/** Several fields kept as one draft; null where nothing is typed. */
export function useForm<T extends object>(key: string): [T | null, (form: T) => void, () => void] {
  const [text, write, forget] = useDraft(key);
  return [parsed<T>(text), form => write(JSON.stringify(form)), forget];
}

function parsed<T>(text: string): T | null {
  try {
    return text === '' ? null : (JSON.parse(text) as T);
  } catch {
    return null; // Not written by us.
  }
}
