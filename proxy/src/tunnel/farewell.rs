//! The end of a tunnel: the last words to either side, for which there is not much time.

use bytes::BytesMut;
use postern_tunnel::{FromProxy, Refused};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{page::Page, upstream::Upstream};
use crate::{
    limits::CLOSE_TIMEOUT,
    websocket::{CloseCode, Kind, Opcode, Violation},
};

/// Tells the page why there is no tunnel, or no longer.
pub(super) async fn refused(mut page: Page, refused: &Refused) {
    let text = FromProxy::Refused(refused.clone()).to_text();
    page.queue(Opcode::Message(Kind::Text), text.as_bytes());
    close(page, CloseCode::POLICY).await;
}

/// Tells the page how it broke the WebSocket's rules.
pub(super) async fn violation(mut page: Page, violation: Violation) {
    let code = violation.close_code();
    page.queue_close(Some(code), &violation.to_string());
    close(page, code).await;
}

/// Both sides have finished.
pub(super) async fn complete(page: Page) {
    close(page, CloseCode::NORMAL).await;
}

/// The page has gone: the server still gets what the page had said before.
pub(super) async fn gone(page: Page, mut server: Upstream, unsent: BytesMut) {
    let last_words = async {
        server.write_all(&unsent).await?;
        server.shutdown().await
    };
    // Whether they listen or not, this is over.
    let _ = tokio::join!(close(page, CloseCode::NORMAL), timeout(CLOSE_TIMEOUT, last_words));
}

/// Closes the WebSocket with this code, unless there has been another.
pub(super) async fn close(page: Page, code: CloseCode) {
    // Whether the page listens or not, this is over.
    let _ = timeout(CLOSE_TIMEOUT, page.close(code)).await;
}
