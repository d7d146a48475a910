// A browser starts no worker from file://. There, its script runs in a hidden frame instead, which has a `self` of its own.
if (location.protocol === "file:")
  window.Worker = class {
    constructor(url) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.documentElement.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) => setTimeout(() => this.onmessage?.({ data }));
      const script = inside.document.createElement("script");
      script.src = url;
      this.ready = new Promise((done, failed) => { script.onload = done; script.onerror = failed; });
      this.ready.catch((event) => this.onerror?.(event));
      inside.document.head.append(script);
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow?.onmessage?.({ data }), () => {});
    }
    terminate() {
      this.frame.remove();
    }
  };
