//! How much room the server has left (RFC 9208).

use std::{cmp::max_by_key, collections::BTreeMap};

use postern_bridge::{Quota, Share};
use postern_imap::{Command, Response};

use super::ImapClient;
use crate::{Host, MailError, Transport};

/// The unit of `STORAGE`, in bytes (RFC 9208 section 5.1).
const STORAGE_UNIT: u64 = 1024;

impl<T: Transport> ImapClient<T> {
    /// How much of what the server keeps for the inbox is used. Nothing where it does not tell.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub async fn quota<H: Host<Transport = T>>(&mut self, host: &H) -> Result<Quota, MailError> {
        if !self.capabilities(host).await?.has("QUOTA") {
            return Ok(Quota::default());
        }
        let command = Command::get_quota_root(b"INBOX")?;
        let answer = self.run_all(host, vec![command], "say how much room there is").await?;
        Ok(tightest(answer.responses))
    }
}

/// Of each resource the share that will be used up first, whichever root limits it.
fn tightest(responses: Vec<Response>) -> Quota {
    let told = responses.into_iter().filter_map(|response| match response {
        Response::Quota(quota) => Some(quota.resources),
        _ => None,
    });
    let mut found: BTreeMap<String, Share> = BTreeMap::new();
    for resource in told.flatten() {
        let share = Share { used: resource.usage, limit: resource.limit };
        // Some tell a limit of 0 where there is none.
        if share.limit != 0 {
            let known = found.entry(resource.name).or_insert(share);
            *known = max_by_key(*known, share, Share::percent);
        }
    }
    let bytes = |share: Share| Share {
        used: share.used.saturating_mul(STORAGE_UNIT),
        limit: share.limit.saturating_mul(STORAGE_UNIT),
    };
    Quota { storage: found.remove("STORAGE").map(bytes), messages: found.remove("MESSAGE") }
}

#[cfg(test)]
mod tests {
    use postern_imap::response;

    use super::*;

    fn told(resources: &[(&str, u64, u64)]) -> Response {
        let resource = |&(name, usage, limit): &(&str, _, _)| response::QuotaResource {
            name: name.to_owned(),
            usage,
            limit,
        };
        let resources = resources.iter().map(resource).collect();
        Response::Quota(response::Quota { root: Vec::new(), resources })
    }

    #[test]
    fn the_root_that_is_full_first_counts() {
        let share = |used, limit| Some(Share { used, limit });
        let own = told(&[("STORAGE", 512, 2048), ("MESSAGE", 7, 10), ("MAILBOX", 1, 2)]);
        let shared = told(&[("STORAGE", 3000, 4000), ("MESSAGE", 8, 0)]);
        let quota = tightest(vec![own, shared]);
        let bytes = share(3000 * 1024, 4000 * 1024);
        assert_eq!(quota, Quota { storage: bytes, messages: share(7, 10) });
        assert_eq!(tightest(vec![told(&[("STORAGE", 5, 0)])]), Quota::default());
        let most = tightest(vec![told(&[("STORAGE", u64::MAX, 1)])]);
        assert_eq!(most.storage, share(u64::MAX, 1024));
    }
}
