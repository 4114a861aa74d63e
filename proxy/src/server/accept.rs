//! From a listener to connections.

use std::{future::pending, io, time::Duration};

use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tracing::{trace, warn};

use super::{
    Client, Clients,
    connection::{self, Door},
};
use crate::limits::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_PER_CLIENT};

/// How long to wait when the system can't give us a connection: it lacks something that others must
/// first give back.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts connections and serves each in a task of its own, for ever. A connection for which there
/// is no place is dropped. Without a listener nobody comes.
pub(super) async fn accept(listener: Option<&TcpListener>, door: &Door, tasks: &TaskTracker) {
    let Some(listener) = listener else { return pending().await };
    let places = Clients::new(HTTP_CONNECTIONS, HTTP_CONNECTIONS_PER_CLIENT);
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let peer = address.ip();
                let client = Client::from(peer);
                let place = if door.shared.proxies.include(peer) {
                    places.admit_speaker(client)
                } else {
                    places.admit(client)
                };
                match place {
                    Some(place) => {
                        tasks.spawn(connection::serve(stream, peer, door.clone(), place));
                    }
                    None => {
                        door.shared.metrics.connection_turned_away();
                        trace!("no place for a connection");
                    }
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                warn!(%error, "can't accept a connection");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
