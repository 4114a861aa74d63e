//! Connects to the first of a host's addresses that answers (“happy eyeballs”, RFC 8305).

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use socket2::{SockRef, TcpKeepalive};
use tokio::{net::TcpStream, time::sleep};

use crate::limits::{ATTEMPT_DELAY, KEEPALIVE, KEEPALIVE_RETRIES, KEEPALIVE_RETRY, MAX_ADDRESSES};

/// Tries vetted addresses, IPv6 and IPv4 by turns. Ends when one answers or all have failed; the
/// caller bounds the time.
pub(crate) async fn dial(addresses: &[SocketAddr]) -> io::Result<(TcpStream, SocketAddr)> {
    race(in_order(addresses), ATTEMPT_DELAY, async |address| {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        keep_alive(&stream)?;
        // Urgent data, which mail has no use for, would hold a spliced download up.
        SockRef::from(&stream).set_out_of_band_inline(true)?;
        Ok((stream, address))
    })
    .await
}

/// Lets the system ask a silent server whether it is still there: one that has gone without a word
/// would otherwise hold its tunnel until the limit for idle ones.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    let keepalive = keepalive.with_interval(KEEPALIVE_RETRY).with_retries(KEEPALIVE_RETRIES);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Connects to the first address. The next one is tried beside it as soon as it has failed, or been
/// silent for `delay`; and so on (section 5). When one answers, the other attempts are dropped.
async fn race<T>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    delay: Duration,
    connect: impl AsyncFn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut waiting: VecDeque<_> = addresses.into_iter().collect();
    let mut attempts = FuturesUnordered::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    while let Some(address) = waiting.pop_front() {
        attempts.push(connect(address));
        let head_start = async {
            if waiting.is_empty() { std::future::pending().await } else { sleep(delay).await }
        };
        tokio::select! {
            biased;
            Some(result) = attempts.next() => match result {
                Ok(connected) => return Ok(connected),
                Err(error) => last = error,
            },
            () = head_start => {}
        }
    }
    while let Some(result) = attempts.next().await {
        match result {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The families take turns, IPv6 first (section 4).
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
    use std::{
        cell::{Cell, RefCell},
        future::pending,
    };

    use tokio::{net::TcpListener, sync::Notify};

    use super::*;

    /// A head start that nobody outlasts, so that what happens happens without it.
    const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

    /// A head start that is over soon.
    const SHORT: Duration = Duration::from_millis(1);

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 993))
    }

    fn refused<T>() -> io::Result<T> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }

    #[test]
    fn the_families_take_turns_and_there_are_not_too_many() {
        let address = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 993);
        let given = ["1.1.1.1", "1.1.1.2", "1.1.1.3", "2620::1"].map(address);
        let ordered = ["2620::1", "1.1.1.1", "1.1.1.2", "1.1.1.3"].map(address);
        assert_eq!(in_order(&given), ordered);
        assert_eq!(in_order(&[given[0]; MAX_ADDRESSES + 1]).len(), MAX_ADDRESSES);
    }

    #[tokio::test]
    async fn an_address_that_answers_is_the_only_one_that_is_tried() {
        let tried = RefCell::new(Vec::new());
        let connected = race([address(1), address(2)], FOR_EVER, async |address| {
            tried.borrow_mut().push(address);
            tokio::task::yield_now().await;
            Ok(address)
        });
        assert_eq!(connected.await.unwrap(), address(1));
        assert_eq!(*tried.borrow(), [address(1)]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_to_the_next_one_at_once() {
        let connected = race([1, 2, 3].map(address), FOR_EVER, async |to| {
            if to == address(3) { Ok(to) } else { refused() }
        });
        assert_eq!(connected.await.unwrap(), address(3));
    }

    #[tokio::test]
    async fn a_silent_address_is_not_waited_for_and_is_dropped_when_another_answers() {
        struct Attempt<'a>(&'a Cell<usize>);
        impl Drop for Attempt<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        let attempts = Cell::new(0);
        let connected = race([1, 2, 3].map(address), SHORT, async |to| {
            attempts.set(attempts.get() + 1);
            let _attempt = Attempt(&attempts);
            if to == address(3) {
                return Ok((to, attempts.get()));
            }
            pending().await
        });
        assert_eq!(connected.await.unwrap(), (address(3), 3), "all three at a time");
        assert_eq!(attempts.get(), 0);
    }

    #[tokio::test]
    async fn an_address_that_was_slow_still_wins_if_it_answers_first() {
        let second_is_tried = Notify::new();
        let connected = race([1, 2].map(address), SHORT, async |to| {
            if to == address(1) {
                second_is_tried.notified().await;
                return Ok(to);
            }
            second_is_tried.notify_one();
            pending().await
        });
        assert_eq!(connected.await.unwrap(), address(1));
    }

    #[tokio::test]
    async fn the_last_failure_is_told_when_all_have_failed() {
        let first_fails = Notify::new();
        let failed = race([1, 2].map(address), SHORT, async |to| {
            if to == address(1) {
                first_fails.notified().await;
                return Err::<(), _>(io::ErrorKind::HostUnreachable.into());
            }
            first_fails.notify_one();
            refused()
        });
        assert_eq!(failed.await.unwrap_err().kind(), io::ErrorKind::HostUnreachable);
        assert!(race([], SHORT, async |_| Ok(())).await.is_err());
    }

    #[tokio::test]
    async fn an_attempt_that_lost_reaches_no_server() {
        let listeners = [listener().await, listener().await];
        let addresses = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
        let (_stream, peer) = dial(&addresses).await.unwrap();
        assert_eq!(peer, addresses[0]);
        listeners[0].accept().await.unwrap();
        let second = listeners[1].accept();
        assert!(futures_util::FutureExt::now_or_never(second).is_none());
    }

    #[tokio::test]
    async fn the_second_address_is_dialled_when_the_first_refuses() {
        let closed = listener().await.local_addr().unwrap();
        let listener = listener().await;
        let open = listener.local_addr().unwrap();
        let (_, peer) = dial(&[closed, open]).await.unwrap();
        assert_eq!(peer, open);
        assert!(dial(&[closed]).await.is_err());
        assert!(dial(&[]).await.is_err());
    }

    #[tokio::test]
    async fn a_server_that_goes_without_a_word_is_noticed() {
        let listener = listener().await;
        let (stream, _) = dial(&[listener.local_addr().unwrap()]).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_RETRY);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), KEEPALIVE_RETRIES);
    }

    async fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.unwrap()
    }
}
