//! Which servers an address has: looked up until it is known, or until nobody wants to know.

use futures_util::future::{AbortHandle, Abortable};
use postern_bridge::{ClientId, Delta, Discovery, Problem};

use super::{Client, accounts::check_address};
use crate::Host;

impl<H: Host> Client<H> {
    /// Finds out which servers an address has, and tells the page unless the search is stopped.
    pub(super) async fn discover(&self, page: ClientId, request: u32, address: &str) {
        let (handle, registration) = AbortHandle::new_pair();
        let searches = &self.inner.searches;
        searches.borrow_mut().insert((page, request), handle);
        let result = Abortable::new(self.search(address), registration).await;
        searches.borrow_mut().remove(&(page, request));
        if let Ok(result) = result {
            self.tell(Some(page), Delta::Discovered { request, result });
        }
    }

    /// No password is needed, and none is sent.
    async fn search(&self, address: &str) -> Result<Discovery, Problem> {
        let found = async {
            check_address(address)?;
            self.inner.host.discover(address).await
        };
        found.await.map_err(|error| {
            self.note_access(&error);
            error.problem("The mail server")
        })
    }

    /// Stops a page's search.
    pub(super) fn stop_discovery(&self, page: ClientId, request: u32) {
        if let Some(search) = self.inner.searches.borrow().get(&(page, request)) {
            search.abort();
        }
    }

    /// Stops all searches of a page.
    pub(super) fn stop_discoveries(&self, page: ClientId) {
        let searches = self.inner.searches.borrow();
        searches.iter().filter(|((of, _), _)| *of == page).for_each(|(_, search)| search.abort());
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use futures_channel::oneshot;
    use futures_util::FutureExt;
    use postern_bridge::{Down, Intent};

    use super::*;
    use crate::testing::{NoServer, TestHost, block_on};

    const PAGE: ClientId = ClientId(1);

    type TestClient = Client<TestHost<NoServer>>;

    /// What happens while a search runs.
    type Step<'a> = &'a dyn Fn(&TestClient);

    /// A client, what it tells, and what its next search waits for.
    struct Setting {
        client: TestClient,
        told: Rc<RefCell<Vec<Delta>>>,
        answer: oneshot::Sender<Discovery>,
    }

    fn setting() -> Setting {
        let host = Rc::new(TestHost::new(NoServer));
        let (answer, search) = oneshot::channel();
        host.search.set(Some(search));
        let told = Rc::new(RefCell::new(Vec::new()));
        let tell = told.clone();
        let emit = move |Down { delta, .. }| tell.borrow_mut().push(delta);
        let client = block_on(Client::start(host, emit)).unwrap();
        Setting { client, told, answer }
    }

    fn discover(client: &TestClient) -> impl Future<Output = ()> {
        let intent = Intent::Discover { request: 3, address: "ada@example.org".into() };
        client.serve(PAGE, intent).map(Result::unwrap)
    }

    #[test]
    fn what_is_found_is_told_with_the_requests_number() {
        let Setting { client, told, answer } = setting();
        answer.send(Discovery::default()).unwrap();
        block_on(discover(&client));
        let found = Delta::Discovered { request: 3, result: Ok(Discovery::default()) };
        assert_eq!(*told.borrow(), [found]);
        assert!(client.inner.searches.borrow().is_empty());
    }

    #[test]
    fn a_search_that_is_stopped_is_given_up_and_not_answered() {
        let stop = |page, request| {
            move |client: &TestClient| {
                block_on(client.serve(page, Intent::StopDiscovery { request })).unwrap();
            }
        };
        let leave = |page| move |client: &TestClient| client.leave(page);
        let ways: [(Step<'_>, bool); 5] = [
            (&stop(PAGE, 3), true),
            (&leave(PAGE), true),
            (&stop(PAGE, 4), false),
            (&stop(ClientId(2), 3), false),
            (&leave(ClientId(2)), false),
        ];
        for (stop, stops) in ways {
            let Setting { client, told, answer } = setting();
            let mut search = Box::pin(discover(&client));
            assert_eq!((&mut search).now_or_never(), None);
            stop(&client);
            assert_eq!((&mut search).now_or_never().is_some(), stops);
            assert_eq!(answer.is_canceled(), stops);
            assert!(told.borrow().is_empty());
            assert_eq!(client.inner.searches.borrow().is_empty(), stops);
        }
    }
}
