// A relay between WebSockets and one server: what people write in a few lines with npm's `ws`.
//
//     node ws.cjs <folder of ws> <listen> <upstream> <folder of certificates> [--page-tls]
//         [--upstream-tls]

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');

const [library, listen, upstream, certificates, ...flags] = process.argv.slice(2);
const { WebSocketServer } = require(library);
const pem = (name) => fs.readFileSync(path.join(certificates, name));
const [listenHost, listenPort] = listen.split(':');
const [host, port] = upstream.split(':');

// Bytes that may wait for a page before its server has to.
const PATIENCE = 1024 * 1024;

const server = flags.includes('--page-tls')
  ? https.createServer({ cert: pem('certificate.pem'), key: pem('key.pem') })
  : http.createServer();

const upstreamTls = flags.includes('--upstream-tls') ? { ca: pem('root.pem') } : undefined;
const connect = upstreamTls
  ? () => tls.connect({ host, port, ...upstreamTls })
  : () => net.connect({ host, port });

new WebSocketServer({ server }).on('connection', (page, request) => {
  const mail = connect();
  mail.setNoDelay(true);
  mail.on('data', (bytes) => {
    page.send(bytes);
    if (page.bufferedAmount > PATIENCE) {
      mail.pause();
      request.socket.once('drain', () => mail.resume());
    }
  });
  mail.on('error', () => page.close());
  mail.on('close', () => page.close());
  page.on('message', (bytes) => {
    if (!mail.write(bytes)) {
      page.pause();
      mail.once('drain', () => page.resume());
    }
  });
  page.on('error', () => mail.destroy());
  page.on('close', () => mail.destroy());
});

server.listen(Number(listenPort), listenHost);
