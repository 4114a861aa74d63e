//! What a server answers when a list and a reader ask for all that they need of every message.

use std::fmt::Write;

const PEOPLE: [(&str, &str, &str); 6] = [
    ("\"Ada Marsh\"", "ada", "example.org"),
    ("\"=?utf-8?Q?Zo=C3=AB_Holt?=\"", "zoe.holt", "mail.example.net"),
    ("\"Berger, Tom\"", "tom.berger", "firma.example"),
    ("NIL", "news-7f3a", "lists.garden-society.example"),
    ("\"The \\\"Green\\\" Shop\"", "orders", "shop.example.com"),
    ("\"=?UTF-8?B?6bq76Zuo5ZON?=\"", "ma", "example.cn"),
];

const SUBJECTS: [&str; 6] = [
    "Re: The allotment in March",
    "=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_Z=C3=BCrich?=",
    "Your order 4402-118 has been sent",
    "[garden-l] Digest of Monday: beans, snails, and what the hedgehog has to do with it",
    "Fwd: \\\"Minutes\\\" of the meeting",
    "Invoice",
];

/// FETCH responses for so many messages, as Dovecot writes them: UID, FLAGS, INTERNALDATE,
/// RFC822.SIZE, ENVELOPE and BODYSTRUCTURE, of several shapes.
pub fn answer(messages: usize) -> Vec<u8> {
    let mut text = String::new();
    for number in 0..messages {
        fetch(&mut text, number);
    }
    text.into_bytes()
}

fn fetch(text: &mut String, number: usize) {
    let flags = ["", "\\Seen", "\\Answered \\Seen", "\\Flagged \\Seen $Label1 NonJunk"][number % 4];
    let (day, hour, minute) = (number % 28 + 1, number % 24, number % 60);
    let from = person(number);
    let to: String = (0..=number % 3).map(|other| person(number + other + 1)).collect();
    let cc = if number.is_multiple_of(5) {
        format!("({}{})", person(number + 2), person(number))
    } else {
        "NIL".into()
    };
    let reply = match number % 2 {
        0 => "NIL".into(),
        _ => format!("\"<letter-{}.4f0a@mail.example.org>\"", number / 2),
    };
    let subject = SUBJECTS[number % SUBJECTS.len()];
    write!(
        text,
        "* {place} FETCH (UID {uid} FLAGS ({flags}) INTERNALDATE \"{day:02}-Mar-2025 \
         {hour:02}:{minute:02}:31 +0000\" RFC822.SIZE {size} ENVELOPE (\"Sat, {day:02} Mar 2025 \
         {hour:02}:{minute:02}:30 +0000\" \"{subject}\" ({from}) ({from}) ({from}) ({to}) {cc} NIL \
         {reply} \"<letter-{number}.4f0a@mail.example.org>\") BODYSTRUCTURE {structure})\r\n",
        place = number + 1,
        uid = number * 3 + 7,
        size = 900 + number * 37 % 90_000,
        structure = structure(number),
    )
    .expect("a string takes any text");
}

fn person(number: usize) -> String {
    let (name, local, host) = PEOPLE[number % PEOPLE.len()];
    format!("({name} NIL \"{local}\" \"{host}\")")
}

fn structure(number: usize) -> String {
    let plain = format!(
        "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" {} {} NIL NIL NIL NIL)",
        300 + number % 4000,
        10 + number % 90,
    );
    let html = format!(
        "(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" {} {} NIL NIL NIL NIL)",
        900 + number % 40_000,
        30 + number % 900,
    );
    let alternative =
        format!("({plain}{html} \"alternative\" (\"boundary\" \"=_{number:08x}\") NIL NIL NIL)");
    match number % 5 {
        0 | 1 => plain,
        2 | 3 => alternative,
        _ => format!(
            "({alternative}(\"image\" \"jpeg\" (\"name\" \"beans-{number}.jpg\") \
             \"<part-{number}@example.org>\" NIL \"base64\" {} NIL (\"attachment\" (\"filename\" \
             \"beans-{number}.jpg\" \"size\" \"{}\")) NIL NIL) \"mixed\" (\"boundary\" \
             \"----=_Part_{number}\") NIL NIL NIL)",
            4000 + number % 100_000,
            3000 + number % 70_000,
        ),
    }
}
