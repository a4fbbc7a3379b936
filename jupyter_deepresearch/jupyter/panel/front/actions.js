// What people press: buttons, one question before something is lost, and commands whose answer is said beside them.

function button(label, onclick, attributes) {
  return h("button", { class: "dr-button", type: "button", onclick, ...attributes }, label);
}

// A label over its field; `hint` stands below and is read with it.
function field(label, input, hint) {
  const id = freshId("field");
  put(input, "id", id);
  if (!hint) return h("div", { class: "dr-field" }, h("label", { for: id }, label), input);
  put(input, "aria-describedby", `${id}-hint`);
  const below = h("small", { id: `${id}-hint`, class: "dr-hint" }, hint);
  return h("div", { class: "dr-field" }, h("label", { for: id }, label), input, below);
}

// A line for what came of something: {node, tell(text), refuse(text), clear()}. Empty it takes no room, but is there: a
// screen reader says only what changes in a place that it knows already.
function makeMessage() {
  const node = h("p", { class: "dr-message", role: "status", "aria-live": "polite" });
  const set = (text, refused) => {
    node.classList.toggle("dr-refused", refused);
    say(node, text);
  };
  return {
    node,
    tell: (text) => set(text, false),
    refuse: (text) => set(text, true),
    clear: () => set("", false),
  };
}

// One question in the place of the browser's own dialogue: {node, ask(text, yes, no, act), reword(text), close()}.
function makeQuestion() {
  const onkeydown = (event) => event.key === "Escape" && close();
  const node = h("div", { class: "dr-question", role: "group", hidden: true, onkeydown });
  let opener = null;
  const close = () => {
    show(node, false);
    node.replaceChildren();
    if (opener?.isConnected && !opener.hidden) opener.focus();
    opener = null;
  };
  const ask = (text, yes, no, act) => {
    opener = document.activeElement;
    const id = freshId("question");
    const stay = button(no, close);
    const go = button(yes, () => (close(), act()), { class: "dr-button dr-danger" });
    put(node, "aria-labelledby", id);
    node.replaceChildren(h("span", { id }, text), go, stay);
    show(node, true);
    stay.focus();
  };
  const reword = (text) => node.firstChild && say(node.firstChild, text);
  return { node, ask, reword, close };
}

// Send one command. The buttons `pressed` rest until it is answered, so nobody sends it twice; refusals are said by
// `message`, and `said` in the buttons' section once it is written. True if it was written. After what can be said only
// `once` they go on resting: the next status takes them away.
async function send(panel, command, { pressed, message, said, once = false }) {
  const section = pressed[0].closest(".dr-section");
  const rest = (resting) => pressed.forEach((one) => put(one, "disabled", resting));
  message.clear();
  rest(true);
  try {
    await answered(panel.tell(command), message);
    message.clear();
    panel.announce(said, section);
    rest(once);
    return true;
  } catch (error) {
    message.refuse(error.message);
    rest(false);
    return false;
  }
}

// Where the kernel is busy, say so and go on waiting: the command is on its way and must not be sent again.
async function answered(promise, message) {
  try {
    return await promise;
  } catch (error) {
    if (!error.late) throw error;
    message.tell(error.message);
    return error.late;
  }
}
