//! ENVELOPE (RFC 9051 section 7.5.2).

use super::Text;
use crate::cursor::Cursor;

/// Room for the addresses of most messages.
const USUAL: usize = 4;

/// The header fields that a list shows, as the server read them; encoded words are not decoded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Envelope {
    /// `Date`.
    pub date: Text,
    /// `Subject`.
    pub subject: Text,
    /// Whom it is from, and whom it is to.
    pub addresses: Addresses,
    /// `In-Reply-To`.
    pub in_reply_to: Text,
    /// `Message-ID`, with its angle brackets.
    pub message_id: Text,
}

/// Whom a message is from, and whom it is to: the addresses of six header fields.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    all: Vec<EnvelopeAddress>,
    /// Where those of each field begin and end in `all`, in the order of RFC 9051. Fields that are
    /// alike may share them.
    fields: [(usize, usize); 6],
}

/// A name and an address; the names of groups are left out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EnvelopeAddress {
    /// The display name; may be empty.
    pub name: Text,
    /// Before the `@`.
    pub mailbox: Text,
    /// Behind the `@`; empty if there was none.
    pub host: Text,
}

impl Envelope {
    /// Reads as many fields as there are.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.list(|fields| Self {
            date: fields.text().unwrap_or_default(),
            subject: fields.text().unwrap_or_default(),
            addresses: Addresses::read(fields),
            in_reply_to: fields.text().unwrap_or_default(),
            message_id: fields.text().unwrap_or_default(),
        })
    }
}

impl Addresses {
    /// Those of `From`, `Sender`, `Reply-To`, `To`, `Cc` and `Bcc`.
    pub fn new(fields: [Vec<EnvelopeAddress>; 6]) -> Self {
        let mut end = 0;
        let ranges = fields.each_ref().map(|field| {
            let start = end;
            end += field.len();
            (start, end)
        });
        Self { all: fields.into_iter().flatten().collect(), fields: ranges }
    }

    /// `From`.
    pub fn from(&self) -> &[EnvelopeAddress] {
        self.field(0)
    }

    /// `Sender`; servers tell it as `From` if the message has none.
    pub fn sender(&self) -> &[EnvelopeAddress] {
        self.field(1)
    }

    /// `Reply-To`; servers tell it as `From` if the message has none.
    pub fn reply_to(&self) -> &[EnvelopeAddress] {
        self.field(2)
    }

    /// `To`.
    pub fn to(&self) -> &[EnvelopeAddress] {
        self.field(3)
    }

    /// `Cc`.
    pub fn cc(&self) -> &[EnvelopeAddress] {
        self.field(4)
    }

    /// `Bcc`.
    pub fn bcc(&self) -> &[EnvelopeAddress] {
        self.field(5)
    }

    fn field(&self, index: usize) -> &[EnvelopeAddress] {
        let (start, end) = self.fields[index];
        &self.all[start..end]
    }

    fn read(cursor: &mut Cursor<'_>) -> Self {
        let mut own = Self { all: Vec::with_capacity(USUAL), ..Self::default() };
        let mut last = (0, 0);
        // How the last field was spelled: most messages have one sender, whom servers tell thrice.
        let mut spelled = None;
        for field in &mut own.fields {
            if !spelled.is_some_and(|spelled| cursor.pass(spelled)) {
                let place = cursor.place();
                let start = own.all.len();
                read_list(cursor, &mut own.all);
                last = (start, own.all.len());
                spelled = cursor.since(place).filter(|text| text.ends_with(b")"));
            }
            *field = last;
        }
        own
    }
}

impl Eq for Addresses {}

impl PartialEq for Addresses {
    fn eq(&self, other: &Self) -> bool {
        (0..self.fields.len()).all(|index| self.field(index) == other.field(index))
    }
}

fn read_list(cursor: &mut Cursor<'_>, addresses: &mut Vec<EnvelopeAddress>) {
    cursor.list(|entries| {
        while !entries.is_at_end() {
            if let Some(address) = entries.list(address).flatten() {
                addresses.push(address);
            }
        }
    });
}

fn address(fields: &mut Cursor<'_>) -> Option<EnvelopeAddress> {
    let name = fields.text().unwrap_or_default();
    fields.skip();
    let mailbox = fields.text().unwrap_or_default();
    // Without a host it is a group's start (with its name) or end.
    let host = fields.text()?;
    Some(EnvelopeAddress { name, mailbox, host })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::tests::fetch;

    fn envelope(text: &str) -> Option<Envelope> {
        fetch(&format!("* 1 FETCH (ENVELOPE {text})")).envelope
    }

    #[test]
    fn the_example_of_rfc_9051_is_read() {
        let envelope = envelope(
            r#"("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes"
            (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray"
            "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu"))
            ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")
            ("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL
            "<B27397-0100000@cac.washington.edu>")"#
                .replace('\n', "")
                .as_str(),
        )
        .unwrap();
        assert_eq!(envelope.subject, b"IMAP4rev2 WG mtg summary and minutes");
        assert_eq!(envelope.addresses.from()[0].name, b"Terry Gray");
        assert_eq!(envelope.addresses.to()[0].mailbox, b"imap");
        assert_eq!(envelope.addresses.cc().len(), 2);
        assert_eq!(envelope.addresses.bcc(), []);
        assert_eq!(envelope.message_id, b"<B27397-0100000@cac.washington.edu>");
    }

    #[test]
    fn the_marks_of_a_group_are_left_out() {
        let text = r#"(NIL NIL ((NIL NIL "friends" NIL)(NIL NIL "a" "b.c")(NIL NIL NIL NIL)))"#;
        let envelope = envelope(text).unwrap();
        let from = envelope.addresses.from();
        assert_eq!(from.len(), 1);
        assert_eq!((&*from[0].mailbox, &*from[0].host), (&b"a"[..], &b"b.c"[..]));
    }

    #[test]
    fn a_field_like_the_one_before_has_the_same_addresses() {
        let ada = r#"(("Ada \"A\"" NIL "ada" "b.c")(NIL NIL "x" "y"))"#;
        let other = r#"((NIL NIL "other" "b.c"))"#;
        let quoted = |fields: [&str; 6]| format!("(NIL NIL {} NIL \"<m>\")", fields.join(" "));
        let fields = [ada, ada, other, other, "NIL", ada];
        let envelope = envelope(&quoted(fields)).unwrap();
        let addresses = &envelope.addresses;
        assert_eq!(addresses.from()[0].name, b"Ada \"A\"");
        assert_eq!((addresses.from().len(), addresses.sender()), (2, addresses.from()));
        assert_eq!(addresses.reply_to()[0].mailbox, b"other");
        assert_eq!(addresses.to(), addresses.reply_to());
        assert_eq!((addresses.cc(), addresses.bcc()), (&[][..], addresses.from()));
        assert_eq!(envelope.message_id, b"<m>");
        let owned = Addresses::new([0, 1, 2, 3, 4, 5].map(|field| addresses.field(field).to_vec()));
        assert_eq!(*addresses, owned);
    }

    #[test]
    fn a_field_that_only_begins_like_the_one_before_is_read_by_itself() {
        let addresses = |text: &str| envelope(text).unwrap().addresses;
        let told =
            addresses(r#"(NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "a" "b")(NIL NIL "c" "d")))"#);
        assert_eq!((told.from().len(), told.sender().len()), (1, 2));
        let told = addresses("(NIL NIL ((NIL NIL {1}\r\na b)) ((NIL NIL {1}\r\nc b)))");
        assert_eq!(
            (told.from()[0].mailbox.clone(), told.sender()[0].mailbox.clone()),
            (b"a".into(), b"c".into())
        );
    }

    #[test]
    fn missing_fields_are_empty() {
        assert_eq!(envelope("()"), Some(Envelope::default()));
        assert_eq!(envelope("NIL"), None);
    }
}
