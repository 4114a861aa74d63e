//! IDLE (RFC 2177): tells changes as they happen.

use super::{Failure, Outcome, Session, ok};

impl Session {
    pub(super) async fn idle(&mut self) -> Outcome {
        let mut changes = self.shared.store.watch();
        self.wire.write("+ idling\r\n");
        loop {
            self.tell_changes(true);
            self.wire.flush().await?;
            tokio::select! {
                line = self.wire.read_line() => {
                    let done = line?.eq_ignore_ascii_case(b"DONE");
                    return if done { ok("done") } else { Err(Failure::Bad("DONE, please")) };
                }
                _ = changes.changed() => {}
            }
        }
    }
}
