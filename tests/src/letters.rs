//! Generated messages.

/// A plain message, the `number`th of its kind, sent a minute after the one before; its subject is
/// `Letter {number}`.
pub fn plain(number: usize) -> Vec<u8> {
    let (day, hour, minute) = (1 + number / 1440, number / 60 % 24, number % 60);
    let lines = "The beans are up, and so are the snails.\r\n".repeat(number % 40 + 1);
    format!(
        "From: Ada Marsh <ada@example.org>\r\n\
         To: Ben Hollis <ben@example.org>\r\n\
         Subject: Letter {number}\r\n\
         Date: {day:02} Mar 2025 {hour:02}:{minute:02}:00 +0000\r\n\
         Message-ID: <letter-{number}@example.org>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         \r\n\
         This is letter number {number}.\r\n\
         {lines}.a line that begins with a dot\r\n"
    )
    .into_bytes()
}

/// Plain messages, numbered from 0.
pub fn many(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(plain)
}

/// The same with more than a megabyte after it that no database can press together.
pub fn large(number: usize) -> Vec<u8> {
    long(number, 14_000)
}

/// The same with lines of 76 signs after it that no database can press together.
pub fn long(number: usize, lines: usize) -> Vec<u8> {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut random = number as u32;
    let mut line = || {
        let mut line = [b'\n'; 78];
        line[76] = b'\r';
        for sign in &mut line[..76] {
            // Numerical Recipes' generator.
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sign = SIGNS[(random >> 26) as usize];
        }
        line
    };
    let text: Vec<_> = (0..lines).map(|_| line()).collect();
    [plain(number), text.concat()].concat()
}

/// A message of a conversation: its id, its subject, whom it follows, and who wrote it.
pub fn answer(id: &str, subject: &str, references: &[&str], from: &str) -> Vec<u8> {
    let named: Vec<String> = references.iter().map(|id| format!("<{id}@example.org>")).collect();
    let follows = match named.last() {
        Some(last) => format!("References: {}\r\nIn-Reply-To: {last}\r\n", named.join("\r\n ")),
        None => String::new(),
    };
    format!(
        "From: {from} <writer@example.org>\r\nTo: Ben Hollis <ben@example.org>\r\n\
         Subject: {subject}\r\nMessage-ID: <{id}@example.org>\r\n{follows}\r\n\
         This is {id}.\r\n"
    )
    .into_bytes()
}

/// A message of more than 300 kB, with a text, another form of it, a file, and a message within.
pub fn with_attachments() -> Vec<u8> {
    with_file(380)
}

/// The same with a file of so many lines of 898 bytes, as they are encoded.
pub fn with_file(lines: usize) -> Vec<u8> {
    let line = "VGhlIGJlYW5zIGFyZSB1cCwgYW5kIHNvIGFyZSB0aGUgc25haWxzIQ0K".repeat(16) + "\r\n";
    format!(
        "From: =?utf-8?Q?Zo=C3=AB_Holt?= <zoe@example.org>\r\n\
         To: Ben Hollis <ben@example.org>\r\n\
         Subject: =?utf-8?Q?Pl=C3=A4ne?=\r\n\
         Date: Tue, 01 Apr 2025 10:00:00 +0000\r\n\
         Message-ID: <plans@example.org>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=outer\r\n\
         \r\n\
         --outer\r\n\
         Content-Type: multipart/alternative; boundary=inner\r\n\
         \r\n\
         --inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe plans, attached.\r\n\
         --inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>The plans, attached.\r\n\
         --inner--\r\n\
         --outer\r\n\
         Content-Type: application/octet-stream; name=\"plans.bin\"\r\n\
         Content-Disposition: attachment; filename=\"plans.bin\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         \r\n\
         {}\
         --outer\r\n\
         Content-Type: message/rfc822\r\n\
         Content-Disposition: attachment\r\n\
         \r\n\
         From: ada@example.org\r\nSubject: inside\r\n\r\nA message in a message.\r\n\
         --outer--\r\n",
        line.repeat(lines)
    )
    .into_bytes()
}

/// A message that is a file and nothing else, of so many lines of 76 bytes, as they are encoded.
pub fn only_a_file(lines: usize) -> Vec<u8> {
    let line = "VGhlIGJlYW5zIGFyZSB1cCwgYW5kIHNvIGFyZSB0aGUgc25haWxzISBUaGUgYmVhbnMgYXJlIHVw\r\n";
    format!(
        "From: Ada Marsh <ada@example.org>\r\n\
         To: Ben Hollis <ben@example.org>\r\n\
         Subject: A scan\r\n\
         Date: Tue, 01 Apr 2025 10:00:00 +0000\r\n\
         Message-ID: <scan@example.org>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: application/pdf; name=\"scan.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         \r\n\
         {}",
        line.repeat(lines)
    )
    .into_bytes()
}
