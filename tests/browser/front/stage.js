// What ipywidgets and anywidget give a view, as little of it as a view can tell from the real thing.
window.stage = (() => {
  class Model {
    constructor(traits) {
      this.traits = { ...traits };
      this.listeners = [];
      this.sent = [];
    }
    get(name) {
      return this.traits[name];
    }
    set(name, value) {
      if (this.traits[name] === value) return;
      this.traits[name] = value;
      this.trigger(`change:${name}`, this, value);
      this.trigger("change", this);
    }
    save_changes() {}
    on(names, callback) {
      for (const name of names.split(" ")) this.listeners.push({ name, callback });
    }
    off(names, callback) {
      const left = (one) => (names && !names.split(" ").includes(one.name)) || (callback && callback !== one.callback);
      this.listeners = this.listeners.filter(left);
    }
    trigger(name, ...rest) {
      for (const one of [...this.listeners]) if (one.name === name) one.callback(...rest);
    }
    send(content, callbacks, buffers) {
      this.sent.push(JSON.parse(JSON.stringify(content)));
    }
  }

  // Bytes arrive somewhere within a larger buffer, as in a real message: at an offset that is no multiple of 4.
  const viewOf = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const whole = new Uint8Array(bytes.length + 3);
    whole.set(bytes, 3);
    return new DataView(whole.buffer, 3, bytes.length);
  };

  const revived = (value) => (value !== null && typeof value === "object" && "base64" in value ? viewOf(value.base64) : value);

  const load = async (source) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    stage.module = await import(address);
  };

  const put = (traits) => {
    stage.model = new Model(Object.fromEntries(Object.entries(traits).map(([name, value]) => [name, revived(value)])));
    stage.cleaners = [];
  };

  // One more view of the same model, in an element of its own.
  const render = async () => {
    const el = document.createElement("div");
    document.getElementById("views").append(el);
    stage.cleaners.push(await stage.module.default.render({ model: stage.model, el }));
  };

  return {
    load,
    put,
    render,
    set: (name, value) => stage.model.set(name, revived(value)),
    deliver: (content, buffers) => stage.model.trigger("msg:custom", content, buffers.map(viewOf)),
    // Takes the views away as closing the notebook does.
    clear: () => {
      for (const clean of stage.cleaners.splice(0)) clean?.();
      document.getElementById("views").replaceChildren();
    },
  };
})();
