//! Which rows of a long list are drawn, and which are asked for.

use std::ops::Range;

/// Rows drawn beyond each edge of the view, so that scrolling never shows a gap.
pub(crate) const OVERSCAN: u32 = 6;

/// Asked-for ranges begin and end at multiples of this, so that a small scroll asks nothing new.
const STEP: u32 = 50;

/// The rows to draw: those in view and a few beyond.
pub(crate) fn drawn(scroll_top: f64, view_height: f64, row_height: f64, total: u32) -> Range<u32> {
    let first = (scroll_top / row_height).floor().max(0.0) as u32;
    let last = ((scroll_top + view_height) / row_height).ceil().max(0.0) as u32;
    let end = last.saturating_add(OVERSCAN).min(total);
    first.saturating_sub(OVERSCAN).min(end)..end
}

/// How many elements are enough to draw any part of a list.
pub(crate) fn slots(view_height: f64, row_height: f64) -> u32 {
    // A view that cuts rows at both edges shows one more than fit.
    (view_height / row_height).ceil().max(0.0) as u32 + 1 + 2 * OVERSCAN
}

/// The rows to ask for, so that those drawn and some to come are known; at most `most`.
pub(crate) fn wanted(drawn: &Range<u32>, total: Option<u32>, most: u32) -> Range<u32> {
    let ahead = (drawn.end - drawn.start).max(STEP);
    let start = drawn.start.saturating_sub(ahead) / STEP * STEP;
    let end = drawn.end.saturating_add(ahead).div_ceil(STEP).saturating_mul(STEP);
    let end = end.min(total.unwrap_or(u32::MAX)).min(start.saturating_add(most));
    start.min(end)..end
}

/// The row that the `slot`-th of `slots` drawn elements shows, so that each element keeps its row
/// while that row is drawn and takes a new one only when it leaves.
pub(crate) fn row_of_slot(slot: u32, slots: u32, first: u32) -> u32 {
    first + (slot + slots - first % slots) % slots
}

/// How far to scroll so that a row is in view; `None` when it is.
pub(crate) fn scroll_to_show(
    row: u32,
    scroll_top: f64,
    view_height: f64,
    row_height: f64,
) -> Option<f64> {
    let top = f64::from(row) * row_height;
    if top < scroll_top {
        Some(top)
    } else if top + row_height > scroll_top + view_height {
        Some(top + row_height - view_height)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_drawn_depends_on_the_view_and_not_on_the_list() {
        assert_eq!(drawn(0.0, 700.0, 70.0, 100_000), 0..16);
        assert_eq!(drawn(70_000.0, 700.0, 70.0, 100_000), 994..1016);
        assert_eq!(drawn(70_000.0, 700.0, 70.0, 5), 5..5);
        assert_eq!(drawn(-20.0, 700.0, 70.0, 3), 0..3);
    }

    #[test]
    fn there_are_slots_for_whatever_is_drawn() {
        for top in [0.0, 1.0, 69.0, 70.0, 70_035.0] {
            for height in [0.0, 1.0, 69.0, 70.0, 700.0, 735.0] {
                let drawn = drawn(top, height, 70.0, 100_000);
                assert!(drawn.len() as u32 <= slots(height, 70.0), "{height} at {top}");
            }
        }
    }

    #[test]
    fn what_is_wanted_holds_what_is_drawn_and_stays_within_the_limits() {
        for first in [0_u32, 1, 24, 25, 990] {
            let drawn = first..first + 20;
            let wanted = wanted(&drawn, Some(1000), 500);
            assert!(wanted.start <= drawn.start && wanted.end >= drawn.end.min(1000));
            assert!(wanted.end <= 1000);
            assert_eq!(wanted.start % STEP, 0);
        }
        assert_eq!(wanted(&(0..0), None, 500), 0..50);
        assert_eq!(wanted(&(0..2000), None, 500).len(), 500);
        assert_eq!(wanted(&(0..0), Some(0), 500), 0..0);
    }

    #[test]
    fn a_small_scroll_asks_nothing_new() {
        assert_eq!(wanted(&(110..130), Some(1000), 500), wanted(&(111..131), Some(1000), 500));
    }

    #[test]
    fn slots_show_each_row_once_and_keep_it_while_it_is_drawn() {
        let slots = 7;
        for first in 0..30 {
            let shown: BTreeSet<_> =
                (0..slots).map(|slot| row_of_slot(slot, slots, first)).collect();
            assert_eq!(shown, (first..first + slots).collect());
            let kept = (0..slots)
                .filter(|slot| {
                    row_of_slot(*slot, slots, first) == row_of_slot(*slot, slots, first + 1)
                })
                .count();
            assert_eq!(kept, 6);
        }
    }

    #[test]
    fn a_row_out_of_view_is_scrolled_just_into_it() {
        assert_eq!(scroll_to_show(0, 100.0, 200.0, 50.0), Some(0.0));
        assert_eq!(scroll_to_show(3, 100.0, 200.0, 50.0), None);
        assert_eq!(scroll_to_show(6, 100.0, 200.0, 50.0), Some(150.0));
    }
}
