//! Mail as it comes, in quantities worth measuring.

use postern_imap::response::format_date_time;

/// How large one in ten messages is, in bytes each: the median is 10 kB.
const SIZES: [usize; 10] =
    [1_000, 3_000, 5_000, 7_000, 9_000, 11_000, 14_000, 20_000, 40_000, 80_000];

/// How many messages there are for each with a large attachment.
const LARGE_EVERY: usize = 1_000;

/// The size of a message with a large attachment, in bytes.
const LARGE: usize = 5_000_000;

/// When the first message was sent, in seconds since 1970, and how much later each other one.
const FIRST: i64 = 1_609_459_200;
const APART: i64 = 20 * 60;

const PEOPLE: [(&str, &str); 4] = [
    ("Ada Marsh", "ada"),
    ("=?utf-8?Q?Zo=C3=AB_Holt?=", "zoe"),
    ("\"Berger, Tom\"", "tom.berger"),
    ("The Garden Society", "news"),
];

const SUBJECTS: [&str; 5] = [
    "The allotment in March",
    "Re: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_Z=C3=BCrich?=",
    "Fwd: \"Minutes\" of the meeting",
    "[garden-l] Digest of Monday: beans, snails, and what the hedgehog has to do with it",
    "Grüße",
];

/// Small messages with envelopes and structures of many kinds, the oldest first.
pub fn letters(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|number| {
        let mut letter = header(number);
        letter += match number % 5 {
            0 | 1 => "Content-Type: text/plain; charset=utf-8\r\n\r\nThe beans are up.\r\n",
            2 | 3 => {
                "Content-Type: multipart/alternative; boundary=b\r\n\r\n\
                 --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe beans are up.\r\n\
                 --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>The beans are up.\r\n\
                 --b--\r\n"
            }
            _ => {
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n\
                 --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe beans are up.\r\n\
                 --b\r\nContent-Type: image/jpeg; name=\"beans.jpg\"\r\n\
                 Content-Disposition: attachment; filename=\"beans.jpg\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n/9j/4AAQSkZJRgABAQ==\r\n\
                 --b--\r\n"
            }
        };
        letter.into_bytes()
    })
}

/// Messages of many sizes: 10 kB in the middle, and few of some megabytes.
pub fn sizes(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|number| {
        let size = match number % LARGE_EVERY {
            500 => LARGE,
            _ => SIZES[number % SIZES.len()],
        };
        let mut message = header(number);
        message += "Content-Type: text/plain; charset=utf-8\r\n\r\n";
        let line = "The beans are up, and so are the snails; nobody has told the hedgehog.\r\n";
        message += &line.repeat(size.saturating_sub(message.len()) / line.len() + 1);
        message.into_bytes()
    })
}

fn header(number: usize) -> String {
    let (name, local) = PEOPLE[number % PEOPLE.len()];
    let seconds = FIRST + APART * i64::try_from(number).expect("there are not that many");
    let date = format_date_time(seconds).expect("years have four digits").replace('-', " ");
    format!(
        "Received: from mx.example.net by mail.example.org; {date}\r\n\
         From: {name} <{local}@example.org>\r\n\
         To: Ben Hollis <ben@example.org>, \"Hollis, Ada\" <ada.hollis@example.org>\r\n\
         Subject: {subject}, letter {number}\r\n\
         Date: {date}\r\n\
         Message-ID: <letter-{number}@example.org>\r\n\
         In-Reply-To: <letter-{before}@example.org>\r\n\
         MIME-Version: 1.0\r\n",
        before = number / 2,
        subject = SUBJECTS[number % SUBJECTS.len()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_messages_are_smaller_than_ten_kilobytes_and_some_are_large() {
        let mut lengths: Vec<_> = sizes(1_000).map(|message| message.len()).collect();
        lengths.sort_unstable();
        assert!((9_000..=11_200).contains(&lengths[500]), "{}", lengths[500]);
        assert!(lengths[999] >= LARGE);
    }
}
