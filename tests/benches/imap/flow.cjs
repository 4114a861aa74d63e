// Fetches what a list and a reader need to know of every message in an inbox:
// node flow.cjs LIBRARY PORT USER PASSWORD

const [library, port, user, pass] = process.argv.slice(2);
const { ImapFlow } = require(library);

const main = async () => {
    const client = new ImapFlow({
        host: "localhost",
        port: Number(port),
        secure: true,
        // The server is this machine, and its certificate the benchmark's own.
        tls: { rejectUnauthorized: false },
        auth: { user, pass },
        logger: false,
    });
    await client.connect();
    await client.mailboxOpen("INBOX");
    const wanted = {
        uid: true,
        flags: true,
        internalDate: true,
        size: true,
        envelope: true,
        bodyStructure: true,
        headers: ["references"],
    };
    const start = performance.now();
    let count = 0;
    for await (const message of client.fetch("1:*", wanted)) {
        count += message.envelope && message.bodyStructure ? 1 : 0;
    }
    const millis = performance.now() - start;
    console.log(JSON.stringify({ millis, count }));
    await client.logout();
};

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
