//! Looking at the bytes of messages.

use std::{cell::RefCell, rc::Rc, slice};

use futures_util::future::try_join;

use super::{
    super::{
        super::{Key, KeyRange, Order, Store, StoreError, Table},
        block::{self, Row},
    },
    contents::{self, Contents, Walk},
};

/// How many bundles are held in memory at once, at most.
const BUNDLES: usize = 4;

/// The bundle that was read last: whoever reads one message after the other finds the next one in it.
#[derive(Default)]
pub(in super::super) struct Recent(RefCell<Option<Known>>);

/// A bundle as it was when so many batches had begun or ended.
struct Known {
    batches: u64,
    last: Key,
    bundle: Rc<Vec<u8>>,
}

/// A look at the bytes of messages, at a time when so many batches have begun or ended.
pub(in super::super) struct Look<'a, S> {
    pub(in super::super) inner: &'a S,
    pub(in super::super) recent: &'a Recent,
    pub(in super::super) batches: u64,
}

impl<S: Store> Look<'_, S> {
    pub(in super::super) async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let home = contents::home(self.inner, key).await?;
        let Some(contents) = home.filter(|contents| contents.has(key)) else {
            return self.inner.get(Table::Bodies, key).await;
        };
        let bundle = self.bundles(slice::from_ref(&contents.last)).await?.pop();
        Ok(Some(bundle.map(|bundle| value(&bundle, key)).unwrap_or_default()))
    }

    pub(in super::super) async fn get_many(
        &self,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|at| &keys[*at]);
        let mut walk = Walk::new(self.inner);
        let (mut bundled, mut alone) = (Vec::<(Key, Vec<usize>)>::new(), Vec::new());
        for at in order {
            match walk.home(&keys[at]).await?.filter(|bundle| bundle.has(&keys[at])) {
                None => alone.push(at),
                Some(bundle) => match bundled.last_mut() {
                    Some((last, own)) if *last == bundle.last => own.push(at),
                    _ => bundled.push((bundle.last.clone(), vec![at])),
                },
            }
        }
        let mut values = vec![None; keys.len()];
        let asked: Vec<Key> = alone.iter().map(|at| keys[*at].clone()).collect();
        let found = self.inner.get_many(Table::Bodies, &asked).await?;
        alone.into_iter().zip(found).for_each(|(at, found)| values[at] = found);
        for some in bundled.chunks(BUNDLES) {
            let lasts: Vec<Key> = some.iter().map(|(last, _)| last.clone()).collect();
            let bundles = self.bundles(&lasts).await?;
            for ((_, own), bundle) in some.iter().zip(bundles) {
                own.iter().for_each(|at| values[*at] = Some(value(&bundle, &keys[*at])));
            }
        }
        Ok(values)
    }

    pub(in super::super) async fn scan(
        &self,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        // From their end nobody reads many.
        let most = if order == Order::Ascending { limit } else { usize::MAX };
        let alone = self.inner.scan(Table::Bodies, range, order, limit);
        let bundled = contents::within(self.inner, range, most);
        let (alone, bundled) = try_join(alone, bundled).await?;
        if bundled.is_empty() {
            return Ok(alone);
        }
        let mut rows: Vec<(Key, Place<'_>)> =
            alone.into_iter().map(|(key, value)| (key, Place::Alone(value))).collect();
        for bundle in &bundled {
            let place = |(key, _): &(Key, _)| (key.clone(), Place::In(&bundle.last));
            rows.extend(bundle.rows.iter().map(place));
        }
        match order {
            Order::Ascending => rows.sort_unstable_by(|one, other| one.0.cmp(&other.0)),
            Order::Descending => rows.sort_unstable_by(|one, other| other.0.cmp(&one.0)),
        }
        rows.truncate(limit);
        let mut lasts: Vec<Key> = Vec::new();
        for (_, place) in &rows {
            match place {
                Place::In(last) if lasts.last() != Some(last) => lasts.push((*last).clone()),
                _ => {}
            }
        }
        let mut lasts = lasts.chunks(BUNDLES);
        let mut held: Vec<(&Key, Rc<Vec<u8>>)> = Vec::new();
        let mut found = Vec::with_capacity(rows.len());
        for (key, place) in rows {
            let value = match place {
                Place::Alone(value) => value,
                Place::In(last) => {
                    if !held.iter().any(|(own, _)| *own == last) {
                        let next = lasts.next().unwrap_or_default();
                        held = next.iter().zip(self.bundles(next).await?).collect();
                    }
                    let bundle = held.iter().find(|(own, _)| *own == last);
                    bundle.map(|(_, bundle)| value(bundle, &key)).unwrap_or_default()
                }
            };
            found.push((key, value));
        }
        Ok(found)
    }

    pub(in super::super) async fn keys(&self, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        let alone = self.inner.keys(Table::Bodies, range);
        let bundled = contents::within(self.inner, range, usize::MAX);
        let (mut keys, bundled) = try_join(alone, bundled).await?;
        if !bundled.is_empty() {
            let rows = bundled.into_iter().flat_map(|bundle| bundle.rows);
            keys.extend(rows.map(|(key, _)| key));
            keys.sort_unstable();
        }
        Ok(keys)
    }

    /// Bundles, by their last keys; what can't be read is empty.
    async fn bundles(&self, lasts: &[Key]) -> Result<Vec<Rc<Vec<u8>>>, StoreError> {
        if let [last] = lasts
            && let Some(known) = &*self.recent.0.borrow()
            && (known.batches, &known.last) == (self.batches, last)
        {
            return Ok(vec![Rc::clone(&known.bundle)]);
        }
        let found = bundles(self.inner, lasts).await?;
        let found: Vec<_> = found.into_iter().map(Rc::new).collect();
        if let (Some(last), Some(bundle)) = (lasts.last(), found.last())
            && !bundle.is_empty()
        {
            let (batches, last, bundle) = (self.batches, last.clone(), Rc::clone(bundle));
            self.recent.0.replace(Some(Known { batches, last, bundle }));
        }
        Ok(found)
    }
}

/// Where a row is.
enum Place<'a> {
    /// By itself; its value.
    Alone(Vec<u8>),
    /// In the bundle with this last key.
    In(&'a Key),
}

/// The rows of a bundle that its contents name; `None` unless all of them can be read.
pub(super) async fn rows(
    inner: &impl Store,
    contents: &Contents,
) -> Result<Option<Vec<Row>>, StoreError> {
    let bundle = bundles(inner, slice::from_ref(&contents.last)).await?.concat();
    let row = |key: &Key| Some((key.clone(), block::find(&bundle, key).ok()??.to_vec()));
    Ok(contents.rows.iter().map(|(key, _)| row(key)).collect())
}

/// Bundles, by their last keys; what can't be read any more is empty.
pub(super) async fn bundles(inner: &impl Store, lasts: &[Key]) -> Result<Vec<Vec<u8>>, StoreError> {
    match inner.get_many(Table::Bundles, lasts).await {
        Err(StoreError::Damaged(_)) => {}
        found => return Ok(found?.into_iter().map(Option::unwrap_or_default).collect()),
    }
    // It is one of them, and is not to hold up the others.
    let mut found = Vec::with_capacity(lasts.len());
    for last in lasts {
        found.push(match inner.get(Table::Bundles, last).await {
            Err(StoreError::Damaged(_)) => Vec::new(),
            bundle => bundle?.unwrap_or_default(),
        });
    }
    Ok(found)
}

/// The value of a row in a bundle that has it; empty if it can't be read any more.
fn value(bundle: &[u8], key: &Key) -> Vec<u8> {
    block::find(bundle, key).ok().flatten().unwrap_or_default().to_vec()
}
