//! One part's content.

use postern_bridge::MessageId;
use postern_imap::{
    Command, SequenceSet,
    command::{FetchItem, Partial},
};

use super::{ImapClient, limits};
use crate::{Host, MailError, Transport};

impl<T: Transport> ImapClient<T> {
    /// Fetches the content of one part, decoded.
    ///
    /// # Errors
    ///
    /// If there is no such part, it is larger than [`limits::PART`], or the server can't be asked.
    pub async fn fetch_part<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
        section: &str,
    ) -> Result<Vec<u8>, MailError> {
        let uid = self.open_at(host, id).await?;
        let content = FetchItem::Section {
            section: section.into(),
            // The server may have told a wrong size, so the bound is a part of the request.
            partial: Some(Partial { origin: 0, count: limits::PART }),
        };
        let items = [FetchItem::BodyStructure, content];
        let command = Command::uid_fetch(&SequenceSet::from(uid), &items)?;
        let mut answer = self.run(host, command, "send the attachment").await?;
        let mut fetch = answer.fetched(uid).ok_or(MailError::Gone("message"))?;
        let content = answer.section(&mut fetch, section).ok_or(MailError::Gone("attachment"))?;
        let structure = fetch.body_structure.ok_or(MailError::Gone("attachment"))?;
        let leaves = structure.leaves();
        let part = leaves.iter().find(|(number, _)| number == section);
        let (_, part) = part.ok_or(MailError::Gone("attachment"))?;
        if part.size > u64::from(limits::PART) || content.len() >= limits::PART as usize {
            return Err(MailError::Input("This attachment is too large to open here.".into()));
        }
        decode(&part.encoding, &content).ok_or(MailError::Gone("attachment"))
    }
}

/// Undoes a transfer encoding, by way of a message that consists of the part alone.
fn decode(encoding: &str, content: &[u8]) -> Option<Vec<u8>> {
    let encoding = match encoding {
        known @ ("base64" | "quoted-printable") => known,
        _ => return Some(content.to_vec()),
    };
    let header = format!(
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    let message = [header.as_bytes(), content].concat();
    postern_mime::part(&message, "1").map(|part| part.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_encodings_are_undone() {
        let cases: [(&str, &str, &str); 4] = [
            ("base64", "aGVs\r\nbG8=\r\n", "hello"),
            ("quoted-printable", "a=3Db", "a=b"),
            ("7bit", "a=3Db", "a=3Db"),
            ("x\r\nInjected: y", "z", "z"),
        ];
        for (encoding, content, expected) in cases {
            assert_eq!(decode(encoding, content.as_bytes()).unwrap(), expected.as_bytes());
        }
    }
}
