//! The end of a tunnel: the last words to either side, for which there is not much time.

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::BytesMut;
use postern_tunnel::{FromProxy, Refused};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::upstream::Upstream;
use crate::limits::CLOSE_TIMEOUT;

/// Tells the page why there is no tunnel, or no longer.
pub(super) async fn refused(mut page: WebSocket, refused: &Refused) {
    let text = FromProxy::Refused(refused.clone()).to_text();
    let said = timeout(CLOSE_TIMEOUT, page.send(Message::text(text))).await;
    if matches!(said, Ok(Ok(()))) {
        close(page, close_code::POLICY).await;
    }
}

/// Both sides have finished.
pub(super) async fn complete(page: WebSocket) {
    close(page, close_code::NORMAL).await;
}

/// The page has gone: the server still gets what the page had said before.
pub(super) async fn server(mut server: Upstream, unsent: BytesMut) {
    let last_words = async {
        server.write_all(&unsent).await?;
        server.shutdown().await
    };
    // Whether it listens or not, this is over.
    let _ = timeout(CLOSE_TIMEOUT, last_words).await;
}

/// Closes the WebSocket and waits for the page to do so, so that what was said last is not lost in
/// a reset.
async fn close(mut page: WebSocket, code: u16) {
    let closing = async {
        let frame = CloseFrame { code, reason: "".into() };
        if page.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = page.recv().await {}
        }
    };
    let _ = timeout(CLOSE_TIMEOUT, closing).await;
}
