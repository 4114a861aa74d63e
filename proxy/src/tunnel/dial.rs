//! Connects to the first of a host's addresses that answers (RFC 8305, in its simplest form).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{net::TcpStream, time::sleep};

use crate::limits::{ATTEMPT_DELAY, MAX_ADDRESSES};

/// Tries vetted addresses, one after the other; a slow one is given a head start over the next and
/// then tried beside it. Ends when one answers or all have failed; the caller bounds the time.
pub(super) async fn dial(addresses: &[SocketAddr]) -> io::Result<(TcpStream, SocketAddr)> {
    let mut attempts: FuturesUnordered<_> = in_order(addresses)
        .into_iter()
        .zip(0..)
        .map(|(address, position)| attempt(address, ATTEMPT_DELAY * position))
        .collect();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    while let Some(result) = attempts.next().await {
        match result {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The address from which this machine would speak to another one, which is the other one if they
/// are the same machine. Nothing is sent.
pub(super) fn local_address(remote: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(remote).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

async fn attempt(address: SocketAddr, delay: Duration) -> io::Result<(TcpStream, SocketAddr)> {
    sleep(delay).await;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok((stream, address))
}

/// The families take turns, IPv6 first.
fn in_order(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let (six, four): (Vec<_>, Vec<_>) = addresses.iter().copied().partition(SocketAddr::is_ipv6);
    let mut six = six.into_iter();
    let mut four = four.into_iter();
    let mut ordered = Vec::with_capacity(addresses.len());
    loop {
        let pair = [six.next(), four.next()];
        if pair == [None, None] {
            break;
        }
        ordered.extend(pair.into_iter().flatten());
    }
    ordered.truncate(MAX_ADDRESSES);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns_and_there_are_not_too_many() {
        let address = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 993);
        let given = ["1.1.1.1", "1.1.1.2", "1.1.1.3", "2620::1"].map(address);
        let ordered = ["2620::1", "1.1.1.1", "1.1.1.2", "1.1.1.3"].map(address);
        assert_eq!(in_order(&given), ordered);
        assert_eq!(in_order(&[given[0]; MAX_ADDRESSES + 1]).len(), MAX_ADDRESSES);
    }

    #[tokio::test]
    async fn the_second_address_is_tried_when_the_first_refuses() {
        let closed = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let (_, peer) = dial(&[closed, open]).await.unwrap();
        assert_eq!(peer, open);
        assert!(dial(&[closed]).await.is_err());
        assert!(dial(&[]).await.is_err());
    }

    #[test]
    fn this_machine_speaks_to_itself_from_the_same_address() {
        let loopback = "127.0.0.1:993".parse().unwrap();
        assert_eq!(local_address(loopback), Some(loopback.ip()));
    }
}
