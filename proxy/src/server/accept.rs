//! From a listener to connections.

use std::{future::pending, io, time::Duration};

use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tracing::{trace, warn};

use super::{
    Client,
    connection::{self, Door},
    places::Places,
};
use crate::limits::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_PER_CLIENT};

/// How long to wait when the system can't give us a connection: it lacks something that others must
/// first give back.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts connections and serves each in a task of its own, for ever. Without a listener nobody
/// comes.
pub(super) async fn accept(listener: Option<&TcpListener>, door: &Door, tasks: &TaskTracker) {
    let Some(listener) = listener else { return pending().await };
    accept_into(listener, door, tasks, &Places::new(HTTP_CONNECTIONS, HTTP_CONNECTIONS_PER_CLIENT))
        .await;
}

/// The same, as long as there are places: a connection without one is dropped.
async fn accept_into(listener: &TcpListener, door: &Door, tasks: &TaskTracker, places: &Places) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let peer = address.ip();
                let place = if door.shared.proxies.include(peer) {
                    places.enter_speaker()
                } else {
                    places.enter(Client::from(peer))
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpSocket, TcpStream},
    };

    use super::*;
    use crate::{Config, Proxy, server::router};

    /// A connection from an address of this machine.
    async fn connect(last: u8, to: &TcpListener) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).unwrap();
        socket.connect(to.local_addr().unwrap()).await.unwrap()
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn networks_that_hold_all_places_keep_nobody_out() {
        let config = Config { listen: (Ipv4Addr::LOCALHOST, 0).into(), ..Config::default() };
        let shared = Proxy::builder(config).bind().await.unwrap().shared;
        let door = Door { router: router(shared.clone()), tls: None, shared };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let tasks = TaskTracker::new();
        let visits = async {
            let mut held = Vec::new();
            for last in [2, 2, 3, 3] {
                held.push(connect(last, &listener).await);
            }
            let mut newcomer = connect(4, &listener).await;
            newcomer.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            newcomer.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("ok\n"), "{answer}");
            // The first one had to go.
            assert!(!matches!(held[0].read(&mut [0; 1]).await, Ok(1..)));
        };
        let places = Places::new(4, 2);
        tokio::select! {
            () = accept_into(&listener, &door, &tasks, &places) => {}
            () = visits => {}
        }
    }
}
