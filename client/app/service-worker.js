// Keeps the page for offline use, and hands files that the page writes to the browser's downloads. The
// build fills in the version and the list of the page's files.
//
// A version is a whole: its index.html names the hashed files that were cached with it. So the page
// always comes from the cache, and a new version is fetched complete beside the old one, then waits
// until the person lets it take over.
//
// A download is offered by the page under an id, with a port; then a frame is sent to its address. Its
// bytes are asked for over the port, one piece at a time, as the browser writes them; this worker keeps
// none. Browsers end a worker that hears nothing for half a minute, and some (Firefox) take a download
// for complete when its worker was ended: so the page says now and then that it wants it to stay, and
// hears whether the download is still known.

const VERSION = "{{VERSION}}";
const PRECACHE = {{PRECACHE}};
const PAGE = "/";
const PREFIX = "postern-";
const CACHE = PREFIX + VERSION;
// Never from a cache: the way to mail servers, and what the proxy says about itself.
const LIVE = ["/tunnel", "/api/"];
// Where downloads are: /download/<id>/<name>. Never fetched from the network.
const DOWNLOADS = "/download/";

// Downloads that are offered or under way, by id: what each is called and the port to who writes it.
const downloads = new Map();

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(removeOldVersions().then(() => self.clients.claim()));
});

self.addEventListener("message", ({ data, ports: [port] }) => {
  if (data === "take-over") self.skipWaiting();
  else if (data.download) offer(data.download, data.name, port);
  else if (data.stay) port.postMessage(downloads.has(data.stay));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (LIVE.some((path) => url.pathname.startsWith(path))) return;
  if (url.pathname.startsWith(DOWNLOADS)) event.respondWith(download(url.pathname));
  else if (request.mode === "navigate") event.respondWith(cached(PAGE, request));
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

function offer(id, name, port) {
  const withdraw = () => downloads.delete(id);
  port.onmessage = withdraw;
  port.onclose = withdraw;
  downloads.set(id, { name, port, isTaken: false });
  port.postMessage("ready");
}

// Each id is good for one answer.
function download(path) {
  const id = path.slice(DOWNLOADS.length).split("/")[0];
  const offered = downloads.get(id);
  if (!offered || offered.isTaken) return new Response(null, { status: 404 });
  offered.isTaken = true;
  const headers = {
    "Cache-Control": "no-store",
    "Content-Disposition": attachment(offered.name),
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Type": "application/octet-stream",
    "X-Content-Type-Options": "nosniff",
  };
  return new Response(content(id, offered.port), { headers });
}

function content(id, port) {
  let arrived = () => {};
  const end = () => {
    downloads.delete(id);
    port.close();
    arrived();
  };
  const source = {
    start(controller) {
      const fail = () => {
        controller.error(new Error("the page has given this file up"));
        end();
      };
      port.onmessage = ({ data }) => {
        if (data === "abort") return fail();
        if (data !== "end") {
          controller.enqueue(data);
          return arrived();
        }
        controller.close();
        end();
      };
      // Of a page that is gone not every browser tells this; there the worker ends for want of work.
      port.onclose = fail;
      port.postMessage("begun");
    },
    pull: () =>
      new Promise((resolve) => {
        arrived = resolve;
        port.postMessage("pull");
      }),
    cancel() {
      port.postMessage("cancel");
      end();
    },
  };
  // Nothing is asked for before the browser wants it.
  return new ReadableStream(source, { highWaterMark: 0 });
}

// RFC 6266 with RFC 8187: the name in full, and for whoever can't read that what is ASCII of it.
function attachment(name) {
  const plain = name.replace(/[^\w .@-]/g, "_");
  const escape = (char) => "%" + char.charCodeAt(0).toString(16).toUpperCase();
  const full = encodeURIComponent(name).replace(/['()*]/g, escape);
  return `attachment; filename="${plain}"; filename*=UTF-8''${full}`;
}
