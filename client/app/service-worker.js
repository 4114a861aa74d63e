// Keeps the page for offline use. The build fills in the version and the list of the page's files.
//
// A version is a whole: its index.html names the hashed files that were cached with it. So the page
// always comes from the cache, and a new version is fetched complete beside the old one, then waits
// until the person lets it take over. Mail is none of this worker's business.

const VERSION = "{{VERSION}}";
const PRECACHE = {{PRECACHE}};
const PAGE = "/";
const PREFIX = "postern-";
const CACHE = PREFIX + VERSION;
// Never from a cache: the way to mail servers, and what the proxy says about itself.
const LIVE = ["/tunnel", "/api/"];

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(removeOldVersions().then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (LIVE.some((path) => url.pathname.startsWith(path))) return;
  if (request.mode === "navigate") event.respondWith(cached(PAGE, request));
  else if (PRECACHE.includes(url.pathname)) event.respondWith(cached(url.pathname, request));
});

async function install() {
  const cache = await caches.open(CACHE);
  // What did not change since the last version, or what the page has just loaded, need not be
  // fetched again: its name holds its hash.
  await Promise.all(
    PRECACHE.map(async (path) => {
      const immutable = path.startsWith("/assets/");
      const known = immutable && (await caches.match(path));
      if (known) await cache.put(path, known);
      else await cache.add(new Request(path, { cache: immutable ? "default" : "reload" }));
    }),
  );
}

async function removeOldVersions() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function cached(path, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}
