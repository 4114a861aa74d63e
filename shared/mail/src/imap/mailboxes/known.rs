//! Which of the stored mailboxes are those that the server lists.

use std::collections::{BTreeMap, HashSet};

use postern_bridge::MailboxId;

use super::Listed;
use crate::{imap::spelling, record::Mailbox};

/// Which of the stored mailboxes the server lists, by the path that it tells. One that was renamed
/// by somebody else is known by its identifier (MAILBOXID), if its UIDs are what they were; the others
/// by their paths; those that are left by their names, as some servers spell these in modified UTF-7 otherwise
/// than others do, or not at all, and all alike once they speak UTF-8. Where several could be meant,
/// none is.
pub(super) fn known<'a>(
    stored: &'a [Mailbox],
    listed: &'a [Listed],
) -> BTreeMap<&'a [u8], &'a Mailbox> {
    let mut known = Known::default();
    known.pair(
        stored,
        listed,
        |own| Some((own.server_id.clone()?, own.uid_validity)),
        |own| own.identity.clone(),
    );
    known.pair_by_path(stored, listed);
    let meaning = |path: &[u8]| spelling::meaning(path).filter(|meaning| !meaning.is_empty());
    known.pair(stored, listed, |own| meaning(&own.path), |own| meaning(&own.path));
    known.by_path
}

#[derive(Default)]
struct Known<'a> {
    by_path: BTreeMap<&'a [u8], &'a Mailbox>,
    taken: HashSet<MailboxId>,
}

impl<'a> Known<'a> {
    /// Adds those of the same path. If two are stored under it, as when another program gives a mailbox
    /// the name of one that was made here and not there yet, it is the one of which something is stored.
    fn pair_by_path(&mut self, stored: &'a [Mailbox], listed: &'a [Listed]) {
        let mut by_path: BTreeMap<&[u8], &Mailbox> = BTreeMap::new();
        for mailbox in stored.iter().filter(|own| !self.taken.contains(&own.id)) {
            let own = by_path.entry(&mailbox.path).or_insert(mailbox);
            if own.uid_validity == 0 {
                *own = mailbox;
            }
        }
        for path in listed.iter().map(|own| &*own.path) {
            if !self.by_path.contains_key(path)
                && let Some(mailbox) = by_path.get(path)
            {
                self.by_path.insert(path, mailbox);
                self.taken.insert(mailbox.id);
            }
        }
    }

    /// Adds of those that are left the pairs that have something in common which no other has.
    fn pair<K: Ord>(
        &mut self,
        stored: &'a [Mailbox],
        listed: &'a [Listed],
        of_stored: impl Fn(&Mailbox) -> Option<K>,
        of_listed: impl Fn(&Listed) -> Option<K>,
    ) {
        let mut pairs: BTreeMap<K, (Vec<&Mailbox>, Vec<&[u8]>)> = BTreeMap::new();
        for mailbox in stored.iter().filter(|own| !self.taken.contains(&own.id)) {
            if let Some(key) = of_stored(mailbox) {
                pairs.entry(key).or_default().0.push(mailbox);
            }
        }
        for own in listed.iter().filter(|own| !self.by_path.contains_key(&*own.path)) {
            if let Some(key) = of_listed(own) {
                pairs.entry(key).or_default().1.push(&own.path);
            }
        }
        for (mailboxes, paths) in pairs.into_values() {
            if let ([mailbox], [path]) = (&mailboxes[..], &paths[..]) {
                self.by_path.insert(path, mailbox);
                self.taken.insert(mailbox.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::AccountId;

    use super::super::{
        reconcile,
        tests::{own, whole},
    };
    use super::*;

    #[test]
    fn a_mailbox_that_was_renamed_is_known_by_its_identifier() {
        let listed = |paths: &[(&str, &str)], uid_validity| {
            let listed = |(path, id): &(&str, &str)| {
                let identity = (!id.is_empty()).then(|| ((*id).to_owned(), uid_validity));
                Listed { identity, ..own(path, None) }
            };
            whole(paths.iter().map(listed).collect::<Vec<_>>())
        };
        let again = |stored: &[(&str, &str)], paths: &[(&str, &str)]| {
            let first = reconcile(AccountId(3), &[], &listed(stored, 7), 1, &[]);
            let synced = |own| Mailbox { uid_validity: 7, ..own };
            let synced: Vec<_> = first.mailboxes.into_iter().map(synced).collect();
            let ids = |uid_validity| {
                let listed = listed(paths, uid_validity);
                let second = reconcile(AccountId(3), &synced, &listed, 100, &[]);
                second.mailboxes.iter().map(|mailbox| mailbox.id.0).collect::<Vec<_>>()
            };
            (ids(7), ids(8))
        };
        let both = [("a", "F1"), ("b", "F2")];
        // What is known where the UIDs are what they were, and where they are others.
        for (paths, same, others) in [
            (&[("x", "F1"), ("b", "F2")], [1, 2], [100, 2]),
            // They changed names.
            (&[("b", "F1"), ("a", "F2")], [1, 2], [2, 1]),
            // One has another's place.
            (&[("a", "F2"), ("b", "F3")], [2, 100], [1, 2]),
            // Both were made anew.
            (&[("a", "F8"), ("b", "F9")], [1, 2], [1, 2]),
            // Nothing is told.
            (&[("x", ""), ("b", "")], [100, 2], [100, 2]),
            // It means nothing.
            (&[("x", "F1"), ("y", "F1")], [100, 101], [100, 101]),
        ] {
            assert_eq!(again(&both, paths), (same.to_vec(), others.to_vec()), "{paths:?}");
        }
        let twice = [("a", "F1"), ("b", "F1")];
        assert_eq!(again(&twice, &[("x", "F1"), ("b", "F1")]).0, [100, 2]);
    }

    #[test]
    fn a_mailbox_that_is_spelled_otherwise_is_the_same_if_only_one_can_be_meant() {
        let again = |stored: &[&[u8]], listed: &[&[u8]]| {
            let spelled = |paths: &[&[u8]]| {
                let spelled = |path: &&[u8]| Listed { path: path.to_vec(), ..own("", None) };
                whole(paths.iter().map(spelled).collect::<Vec<_>>())
            };
            let first = reconcile(AccountId(3), &[], &spelled(stored), 1, &[]);
            let second = reconcile(AccountId(3), &first.mailboxes, &spelled(listed), 100, &[]);
            let mut ids = Vec::new();
            for (mailbox, path) in second.mailboxes.iter().zip(listed) {
                assert_eq!(mailbox.path, *path);
                ids.push(mailbox.id.0);
            }
            ids
        };
        let (raw, encoded) = ("R&D/Entwürfe".as_bytes(), &b"R&-D/Entw&APw-rfe"[..]);
        assert_eq!(again(&[b"INBOX", raw], &[b"INBOX", encoded]), [1, 2]);
        assert_eq!(again(&[b"INBOX", encoded], &[raw, b"INBOX"]), [2, 1]);
        // Both are there: each is what it is.
        assert_eq!(again(&[raw, encoded], &[encoded, raw]), [2, 1]);
        assert_eq!(again(&[raw], &[encoded, raw]), [100, 1]);
        assert_eq!(again(&[raw, encoded], &[b"R&-D/&AEUAbgB0AHcA,AByAGYAZQ-"]), [100]);
        assert_eq!(again(&[b"caf\xe9"], &[b"caf\xe8"]), [100]);
    }
}
