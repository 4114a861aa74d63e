// Starts the engine in a dedicated module worker. The build fills in the two hashed names and
// gives this file a hashed name of its own; the page runs it with
//
//     new Worker(url, { type: "module" })
//
// What the page sends while the engine is still loading is kept in `waiting`, which the engine
// empties when it takes over `onmessage`. If the engine can't be loaded, the worker's `error` event
// tells the page.
const waiting = [];
self.waiting = waiting;
self.onmessage = (event) => waiting.push(event.data);

// The program is asked for first, so that both files are on their way at once.
const wasm = fetch("{{ENGINE_WASM}}", { integrity: "{{ENGINE_INTEGRITY}}" });
const { default: init } = await import("{{ENGINE_JS}}");
await init({ module_or_path: wasm });
