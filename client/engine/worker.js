// Starts the engine in a dedicated module worker. The build fills in what is in double braces and
// gives this file a hashed name of its own; the page runs it with
//
//     new Worker(url, { type: "module" })
//
// Where TLS ends in the browser, the engine fetches the public roots of trust when it needs them.
//
// What the page sends while the engine is still loading is kept in `waiting`, which the engine
// empties when it takes over `onmessage`. If the engine can't be loaded, the worker's `error` event
// tells the page.
const waiting = [];
self.waiting = waiting;
self.onmessage = (event) => waiting.push(event.data);

const roots = new URL("{{ROOTS}}", import.meta.url);
// The roots; `null` if the server no longer has the file, as after a new version was deployed.
self.fetchRoots = async () => {
  try {
    const response = await fetch(roots, { integrity: "{{ROOTS_INTEGRITY}}" });
    return await response.arrayBuffer();
  } catch (error) {
    // With `integrity`, an answer that is not the file fails like a network that is away.
    const answer = await fetch(roots, { method: "HEAD", cache: "no-store" });
    if (answer.status === 404) return null;
    throw error;
  }
};

const program = new URL("{{ENGINE_WASM}}", import.meta.url);
const fetched = fetch(program, { integrity: "{{ENGINE_INTEGRITY}}" });
const { default: init } = await import("{{ENGINE_JS}}");
await init({ module_or_path: fetched });
