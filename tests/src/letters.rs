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
