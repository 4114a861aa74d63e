//! What mailboxes are for.

use postern_bridge::Role;
use postern_imap::response::ListEntry;

use super::{Listed, usual};

/// What a mailbox is for, as the server says.
pub(super) fn role(entry: &ListEntry) -> Option<Role> {
    let attributes = [
        (r"\Drafts", Role::Drafts),
        (r"\Sent", Role::Sent),
        (r"\Archive", Role::Archive),
        (r"\All", Role::Archive),
        (r"\Junk", Role::Junk),
        (r"\Spam", Role::Junk),
        (r"\Trash", Role::Trash),
    ];
    if entry.name.eq_ignore_ascii_case(b"INBOX") {
        return Some(Role::Inbox);
    }
    attributes.into_iter().find(|(name, _)| entry.has(name)).map(|(_, role)| role)
}

/// Gives roles by the usual names, where the server names no mailbox for them.
pub(super) fn guess_roles(listed: &mut [Listed]) {
    for (role, names) in usual::NAMES {
        if listed.iter().any(|own| own.role == Some(role)) {
            continue;
        }
        let rank = |own: &Listed| {
            let top = match &own.names[..] {
                [top] => top,
                [first, second] if first.eq_ignore_ascii_case("INBOX") => second,
                _ => return None,
            };
            let top = (own.role.is_none() && own.selectable).then(|| top.to_lowercase())?;
            names.iter().position(|name| *name == top)
        };
        let ranks = listed.iter().enumerate().filter_map(|(at, own)| Some((rank(own)?, at)));
        if let Some((_, at)) = ranks.min() {
            listed[at].role = Some(role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::mailboxes::tests::own as listed;

    fn own(path: &str) -> Listed {
        listed(path, None)
    }

    #[test]
    fn roles_are_guessed_from_usual_names_unless_the_server_names_them() {
        let mut listed = [own("Sent"), own("INBOX/Trash"), own("x/Drafts")];
        guess_roles(&mut listed);
        assert_eq!(
            listed.each_ref().map(|own| own.role),
            [Some(Role::Sent), Some(Role::Trash), None]
        );
        let mut listed = [own("Sent"), Listed { role: Some(Role::Sent), ..own("out") }];
        guess_roles(&mut listed);
        assert_eq!(listed[0].role, None);
    }

    #[test]
    fn usual_names_are_known_in_other_languages_and_each_role_is_given_once() {
        let mut listed =
            [own("ENTWÜRFE"), own("Éléments envoyés"), own("Корзина"), own("Papierkorb")];
        guess_roles(&mut listed);
        let roles = listed.each_ref().map(|own| own.role);
        assert_eq!(roles, [Some(Role::Drafts), Some(Role::Sent), None, Some(Role::Trash)]);
    }
}
