//! A download from a server that says nothing else.

use postern_bridge::Endpoint;
use postern_mail::{Clock, Connector, Transport, TransportError};

use crate::{access::Access, clock::BrowserClock, transport::TunnelConnector, worker::Worker};

use super::Measured;

/// Downloads what `HOST,PORT,END,BYTES` says.
pub(super) async fn run(worker: &Worker, asked: &str) -> Result<Measured, String> {
    let (endpoint, rest) = super::endpoint(asked)?;
    let [bytes] = rest[..] else { return Err("BYTES is missing".into()) };
    let bytes = bytes.parse().map_err(|_| format!("{bytes} is no number"))?;
    let connector = TunnelConnector::new(&worker.origin(), Access::of_proxy());
    let millis = download(&connector, &endpoint, bytes).await.map_err(|error| error.to_string())?;
    Ok(Measured { millis, idle: 0 })
}

/// Downloads so many bytes; returns how many milliseconds that took, connecting included.
async fn download(
    connector: &TunnelConnector,
    endpoint: &Endpoint,
    bytes: usize,
) -> Result<i64, TransportError> {
    let start = BrowserClock.now();
    let mut stream = connector.connect(endpoint).await?;
    let mut received = 0;
    while received < bytes {
        let more = stream.read().await?.len();
        if more == 0 {
            return Err(TransportError::Lost);
        }
        received += more;
    }
    let took = BrowserClock.now() - start;
    stream.close().await;
    Ok(took)
}
