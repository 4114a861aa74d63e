//! How fast mail becomes what a person sees, beside the libraries that do a part of it.

use ammonia::clean;
use anyhow::Result;
use mail_parser::MessageParser;
use postern_mime::{summary, view};
use postern_tests::report::{Comparison, Unit, deliver};

/// About how much mail one run works through.
const BYTES: usize = 8_000_000;

fn main() -> Result<()> {
    let letters = repeated(&letter());
    let newsletters = repeated(&newsletter());
    let photographs = repeated(&photograph());
    let parser = MessageParser::default();
    let parse = |mails: &[Vec<u8>]| mails.iter().filter_map(|mail| parser.parse(mail)).count();
    let parse_and_clean = |mails: &[Vec<u8>]| -> usize {
        let parsed = mails.iter().filter_map(|mail| parser.parse(mail));
        parsed.filter_map(|mail| Some(clean(&mail.body_html(0)?).len())).sum()
    };
    let show = |mails: &[Vec<u8>]| mails.iter().map(|mail| view(mail).text.len()).sum::<usize>();
    let summarise =
        |mails: &[Vec<u8>]| mails.iter().map(|mail| summary(mail).preview.len()).sum::<usize>();

    let compare = |name, peer_name, goal| Comparison { name, unit: Unit::Rate, peer_name, goal };
    deliver(vec![
        compare("mime/list row", "mail-parser", 1.0).compute(
            size(&letters),
            || summarise(&letters),
            || parse(&letters),
        ),
        compare("mime/show text", "mail-parser", 0.5).compute(
            size(&letters),
            || show(&letters),
            || parse(&letters),
        ),
        compare("mime/show HTML", "mail-parser + ammonia", 0.5).compute(
            size(&newsletters),
            || show(&newsletters),
            || parse_and_clean(&newsletters),
        ),
        compare("mime/show beside attachments", "mail-parser", 1.0).compute(
            size(&photographs),
            || show(&photographs),
            || parse(&photographs),
        ),
    ])
}

fn size(mails: &[Vec<u8>]) -> usize {
    mails.iter().map(Vec::len).sum()
}

/// So many of one message that they come to [`BYTES`], and at least one.
fn repeated(mail: &[u8]) -> Vec<Vec<u8>> {
    vec![mail.to_vec(); (BYTES / mail.len()).max(1)]
}

fn header(content_type: &str) -> String {
    format!(
        "Received: from mx.example.net by mail.example.org; Sat, 01 Mar 2025 10:20:31 +0000\r\n\
         From: =?utf-8?Q?Zo=C3=AB_Marsh?= <zoe@example.org>\r\n\
         To: Ben Hollis <ben@example.org>, \"Hollis, Ada\" <ada@example.org>\r\n\
         Subject: =?utf-8?B?VGhlIGJlYW5zIGFyZSB1cCDwn4yx?=\r\n\
         Date: Sat, 01 Mar 2025 10:20:30 +0000\r\n\
         Message-ID: <letter-1@example.org>\r\n\
         References: <letter-0@example.org> <letter-00@example.org>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: {content_type}\r\n"
    )
}

/// Some kilobytes of quoted-printable text.
fn letter() -> Vec<u8> {
    let header = header("text/plain; charset=utf-8");
    let line = "The beans are up, and so are the snails; the caf=C3=A9 has r=C3=B6sti again.\r\n";
    format!("{header}Content-Transfer-Encoding: quoted-printable\r\n\r\n{}", line.repeat(60))
        .into_bytes()
}

/// A newsletter as they are: nested tables, styles everywhere, and a plain alternative.
fn newsletter() -> Vec<u8> {
    let header = header("multipart/alternative; boundary=\"b\"");
    let row = "<tr><td style=\"padding:8px 12px;color:#333;font:14px Arial\" align=\"left\">\
               <table width=\"100%\"><tr><td><a href=\"https://example.com/offer?id=1&amp;u=2\" \
               style=\"color:#06c;text-decoration:none\"><b>An offer</b></a> for you &ndash; until \
               Friday<img src=\"https://example.com/x.png\" width=\"1\" height=\"1\"></td></tr>\
               </table></td></tr>\r\n";
    format!(
        "{header}\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n\
         --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <html><head><style>td {{ padding: 0 }} .big {{ font-size: 20px }}</style></head><body>\
         <table width=\"600\">{}</table></body></html>\r\n--b--\r\n",
        "An offer for you - until Friday: https://example.com/offer\r\n".repeat(100),
        row.repeat(100),
    )
    .into_bytes()
}

/// A short text with 4 MB of base64 attached.
fn photograph() -> Vec<u8> {
    let header = header("multipart/mixed; boundary=\"b\"");
    let line = format!("{}\r\n", "/9j4AAQSkZJRgABAQAASABI".repeat(4).split_at(76).0);
    format!(
        "{header}\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nLook!\r\n\
         --b\r\nContent-Type: image/jpeg; name=\"beans.jpg\"\r\n\
         Content-Disposition: attachment; filename=\"beans.jpg\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        line.repeat(4_000_000 / line.len())
    )
    .into_bytes()
}
