use super::*;

fn window(size: u32) -> Window {
    Window::new(size, size, &Budget::new(0))
}

#[test]
fn a_byte_beyond_the_window_is_an_overrun() {
    let mut window = window(100);
    assert_eq!(window.arrived(100), Ok(()));
    assert_eq!(window.arrived(1), Err(Overrun));
}

#[test]
fn credit_returns_in_halves_of_a_window() {
    let mut window = window(100);
    window.arrived(100).unwrap();
    assert_eq!(window.consumed(49), None);
    assert_eq!(window.consumed(1), Some(50));
    assert_eq!(window.arrived(50), Ok(()));
    assert_eq!(window.arrived(1), Err(Overrun));
}

#[test]
fn a_window_doubles_while_the_sender_stops_for_want_of_credit() {
    let mut window = Window::new(100, 350, &Budget::new(1000));
    window.arrived(60).unwrap();
    assert_eq!(window.consumed(60), Some(60));
    // It has not heard of that yet, and stops where the first grant ends.
    window.arrived(40).unwrap();
    assert_eq!(window.consumed(40), Some(140));
    // It has heard of the one, and has used it up.
    window.arrived(60).unwrap();
    assert_eq!(window.consumed(60), Some(210));
    window.arrived(350).unwrap();
    assert_eq!(window.consumed(350), Some(350));
    assert_eq!(window.arrived(351), Err(Overrun));
}

#[test]
fn a_window_stays_as_it_is_while_the_sender_has_credit() {
    let mut window = Window::new(100, 1000, &Budget::new(1000));
    for _ in 0..100 {
        window.arrived(33).unwrap();
        if let Some(grant) = window.consumed(33) {
            assert_eq!(grant, 66);
        }
    }
    assert_eq!(window.size, 100);
}

#[test]
fn a_slow_receiver_does_not_make_its_window_grow() {
    let mut window = Window::new(100, 1000, &Budget::new(1000));
    for _ in 0..100 {
        window.arrived(50).unwrap();
        window.arrived(50).unwrap();
        assert_eq!(window.consumed(40), None);
        assert_eq!(window.consumed(60), Some(100));
    }
}

#[test]
fn windows_grow_within_their_budget_and_give_back_when_they_go() {
    let budget = Budget::new(150);
    let mut first = Window::new(100, 1000, &budget);
    first.arrived(100).unwrap();
    assert_eq!(first.consumed(100), Some(200));
    let mut second = Window::new(100, 1000, &budget);
    second.arrived(100).unwrap();
    assert_eq!(second.consumed(100), Some(150));
    drop(first);
    second.arrived(150).unwrap();
    assert_eq!(second.consumed(150), Some(250));
    drop(second);
    assert_eq!(budget.take(200), 150);
}

#[test]
fn an_idle_window_shrinks_when_the_sender_gives_credit_back() {
    let budget = Budget::new(300);
    let mut window = Window::new(100, 1000, &budget);
    let mut allowance = Allowance::new(100);
    assert_eq!(window.reclaim(), None);
    for _ in 0..2 {
        let sent = allowance.take(1000);
        window.arrived(sent).unwrap();
        allowance.grant(window.consumed(sent).unwrap()).unwrap();
    }
    assert_eq!(allowance.available(), 400);
    let keep = window.reclaim().unwrap();
    assert_eq!(window.returned(allowance.give_back(keep)), Ok(()));
    assert_eq!((allowance.available(), window.reclaim()), (100, None));
    assert_eq!(window.arrived(101), Err(Overrun));
    assert_eq!(budget.take(1000), 300);
    assert_eq!(window.returned(101), Err(Overrun));
}

/// Whatever happens, what is granted and held fits into the window, and the sender's allowance is
/// what the receiver thinks that it is.
#[test]
fn both_sides_agree_whatever_happens() {
    let budget = Budget::new(5000);
    let mut window = Window::new(64, 1024, &budget);
    let mut allowance = Allowance::new(64);
    let (mut held, mut random) = (0, 7_u32);
    for _ in 0..100_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let amount = (random >> 8) as usize % 300;
        match random >> 30 {
            0 | 1 => {
                let sent = allowance.take(amount);
                window.arrived(sent).unwrap();
                held += sent;
            }
            2 => {
                let used = amount.min(held);
                held -= used;
                if let Some(grant) = window.consumed(used) {
                    allowance.grant(grant).unwrap();
                }
            }
            _ => {
                if let Some(keep) = window.reclaim() {
                    window.returned(allowance.give_back(keep)).unwrap();
                }
            }
        }
        assert_eq!(allowance.available(), window.granted as usize);
        assert_eq!(held, window.held as usize);
        assert!(window.granted + window.held <= window.size && window.size <= 1024);
    }
    drop(window);
    assert_eq!(budget.take(10_000), 5000);
}

#[test]
fn a_sender_never_sends_more_than_it_was_granted() {
    let mut allowance = Allowance::new(10);
    assert_eq!(allowance.take(7), 7);
    assert_eq!(allowance.take(7), 3);
    assert_eq!(allowance.take(7), 0);
    allowance.grant(5).unwrap();
    assert_eq!(allowance.available(), 5);
    assert_eq!(allowance.grant(u32::MAX), Err(Overrun));
}
