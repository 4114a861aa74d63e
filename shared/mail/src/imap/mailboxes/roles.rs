//! What mailboxes are for.

use postern_bridge::Role;
use postern_imap::response::ListEntry;

use super::Listed;

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
    let usual: [(Role, &[&str]); 5] = [
        (Role::Drafts, &["drafts", "draft"]),
        (Role::Sent, &["sent", "sent messages", "sent items", "sent mail"]),
        (Role::Archive, &["archive", "archives"]),
        (Role::Junk, &["junk", "spam", "junk e-mail", "bulk mail"]),
        (Role::Trash, &["trash", "deleted items", "deleted messages"]),
    ];
    for (role, names) in usual {
        if listed.iter().any(|own| own.role == Some(role)) {
            continue;
        }
        let candidate = names.iter().find_map(|name| {
            listed.iter().position(|own| {
                let top = match &own.names[..] {
                    [top] => Some(top),
                    [first, second] if first.eq_ignore_ascii_case("INBOX") => Some(second),
                    _ => None,
                };
                own.role.is_none()
                    && own.selectable
                    && top.is_some_and(|top| top.eq_ignore_ascii_case(name))
            })
        });
        if let Some(at) = candidate {
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
}
