//! What the server calls mailboxes whatever their names are (MAILBOXID, RFC 8474).

use std::collections::BTreeMap;

use postern_imap::{Response, command::StatusItem};

use super::ImapClient;
use crate::{
    Host, MailError, Transport,
    imap::{limits, spelling},
};

impl<T: Transport> ImapClient<T> {
    /// Asks for the identifiers of mailboxes, given by the server's names, that are not known: stored
    /// paths of those that are come with the UIDVALIDITY of what is stored. One that is not what it was
    /// by its `counts` is asked for anew. What the server does not tell is not asked for again over this
    /// connection, so that all have their turn.
    pub(super) async fn identifiers<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        names: &[Vec<u8>],
        counts: &[Response],
        known: &BTreeMap<Vec<u8>, u32>,
    ) -> Result<Vec<Response>, MailError> {
        let spelling = self.enabled.spelling;
        let path = |name: &Vec<u8>| spelling::from_server(name.clone(), spelling);
        let told = counts.iter().filter_map(|response| match response {
            Response::MailboxStatus(status) => Some((path(&status.name), status.uid_validity?)),
            _ => None,
        });
        let told: BTreeMap<Vec<u8>, u32> = told.collect();
        let listed: BTreeMap<Vec<u8>, &Vec<u8>> =
            names.iter().map(|name| (path(name), name)).collect();
        self.nameless.retain(|path, _| listed.contains_key(path));
        let is_wanted = |path: &Vec<u8>| {
            let told = told.get(path);
            let is_other = |own: &u32| *own != 0 && told.is_some_and(|told| told != own);
            known.get(path).is_none_or(is_other)
                && self.nameless.get(path).is_none_or(|own| own.as_ref() != told)
        };
        let wanted = listed.into_iter().filter(|(path, _)| is_wanted(path));
        let (paths, names): (Vec<_>, Vec<_>) =
            wanted.take(limits::COUNTED_MAILBOXES).map(|(path, name)| (path, name.clone())).unzip();
        let mut identifiers = self.statuses(host, &names, &StatusItem::IDENTITY).await?;
        spelling::spell(&mut identifiers, spelling);
        self.nameless.extend(paths.into_iter().map(|path| {
            let told = told.get(&path).copied();
            (path, told)
        }));
        for response in &identifiers {
            if let Response::MailboxStatus(own) = response
                && own.mailbox_id.is_some()
            {
                self.nameless.remove(&own.name);
            }
        }
        Ok(identifiers)
    }
}
