// What the view says to the kernel and hears from it (the messages are written down in panel/__init__.py).

const ANSWER_LIMIT_MS = 30_000;
const NO_ANSWER = "no answer; the kernel is busy";

// {ask(what, body), tell(command), hear(message), close()}. A tell is sent once: when its time is over, the error's
// `late` is the answer that may still come.
function makeWire(model) {
  const open = new Map();
  const timers = new Set();
  const hear = ({ id, body, error }) => {
    const waits = open.get(id);
    open.delete(id);
    if (error === undefined) waits?.resolve(body);
    else waits?.reject(new Error(error));
  };
  const exchange = (message, overdue) => {
    const id = messageId();
    const answer = new Promise((resolve, reject) => open.set(id, { resolve, reject }));
    const limit = new Promise((_, reject) => {
      const timer = setTimeout(() => (timers.delete(timer), reject(overdue(id, answer))), ANSWER_LIMIT_MS);
      const over = () => (clearTimeout(timer), timers.delete(timer));
      timers.add(timer);
      answer.then(over, over);
    });
    if (!post(model, { ...message, id })) hear({ id, error: "this view is detached: its kernel is gone" });
    return Promise.race([answer, limit]);
  };
  const forget = (id) => (open.delete(id), new Error(`${NO_ANSWER}; ask again later`));
  const wait = (_, late) => Object.assign(new Error(`${NO_ANSWER}: it is done when the kernel is free`), { late });
  return {
    ask: (what, body) => exchange({ kind: "ask", what, ...body }, forget),
    tell: (command) => exchange({ kind: "tell", command }, wait),
    hear,
    close: () => (timers.forEach(clearTimeout), timers.clear(), open.clear()),
  };
}

// Whether a message went out: the comm of a kernel that is gone throws.
function post(model, message) {
  try {
    model.send(message);
    return true;
  } catch {
    return false;
  }
}

// Answers reach every view of the model, so an id must be nobody else's. (randomUUID wants https.)
function messageId() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}
