//! What look-ups may cost.

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{sync::Semaphore, time::timeout};

use super::{Resolve, ResolveError};
use crate::limits::{LOOKUP_TIMEOUT, LOOKUPS};

/// Looks names up, but not too many at a time, and not for too long.
pub struct Lookups {
    resolver: Arc<dyn Resolve>,
    places: Semaphore,
    time: Duration,
}

impl Lookups {
    /// Look-ups within the proxy's limits.
    pub fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self::within(resolver, LOOKUPS, LOOKUP_TIMEOUT)
    }

    fn within(resolver: Arc<dyn Resolve>, count: usize, time: Duration) -> Self {
        Self { resolver, places: Semaphore::new(count), time }
    }
}

impl Resolve for Lookups {
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        let look_up = async move {
            // It is never closed.
            let _place = self.places.acquire().await.map_err(|_| ResolveError::Unavailable)?;
            self.resolver.addresses(name).await
        };
        Box::pin(async {
            timeout(self.time, look_up).await.unwrap_or(Err(ResolveError::Unavailable))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{FutureExt, future::join_all};
    use tokio::task::yield_now;

    use super::*;

    /// Never answers.
    struct Silence;

    impl Resolve for Silence {
        fn addresses<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
            std::future::pending().boxed()
        }
    }

    /// Notes how many look-ups it is asked for at a time.
    #[derive(Default)]
    struct Crowd {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl Resolve for Crowd {
        fn addresses<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
            Box::pin(async {
                let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                for _ in 0..10 {
                    yield_now().await;
                }
                self.now.fetch_sub(1, Ordering::SeqCst);
                Ok(Vec::new())
            })
        }
    }

    #[tokio::test]
    async fn a_look_up_that_hangs_ends_in_time_and_leaves_its_place() {
        let lookups = Lookups::within(Arc::new(Silence), 1, Duration::from_millis(10));
        for _ in 0..2 {
            assert_eq!(lookups.addresses("example.org").await, Err(ResolveError::Unavailable));
        }
        assert_eq!(lookups.places.available_permits(), 1);
    }

    #[tokio::test]
    async fn there_are_not_more_at_a_time_than_there_may_be_and_all_are_served() {
        let crowd = Arc::new(Crowd::default());
        let lookups = Lookups::within(crowd.clone(), 3, Duration::from_secs(600));
        let answers = join_all((0..10).map(|_| lookups.addresses("example.org"))).await;
        assert_eq!(answers, vec![Ok(Vec::new()); 10]);
        assert_eq!(crowd.most.load(Ordering::SeqCst), 3);
    }
}
