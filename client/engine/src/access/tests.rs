use std::{
    cell::Cell,
    collections::VecDeque,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_channel::oneshot;
use futures_util::future::join_all;

use super::*;

type Answer = Result<Token, TransportError>;

/// Answers when the test says so; notes the keys.
#[derive(Default)]
struct Script {
    asked: RefCell<Vec<Option<String>>>,
    answers: RefCell<VecDeque<oneshot::Receiver<Answer>>>,
}

impl Exchange for Rc<Script> {
    async fn exchange(&self, key: Option<&Secret>) -> Answer {
        self.asked.borrow_mut().push(key.map(|key| key.expose().to_owned()));
        let answer = self.answers.borrow_mut().pop_front().expect("an answer for each question");
        answer.await.expect("the test answers")
    }
}

struct TestClock(Rc<Cell<i64>>);

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.get()
    }

    async fn sleep(&self, _: Duration) {
        unreachable!("nothing here sleeps");
    }
}

struct Setting {
    access: Access<Rc<Script>, TestClock>,
    script: Rc<Script>,
    now: Rc<Cell<i64>>,
}

impl Setting {
    fn new() -> Self {
        let script = Rc::<Script>::default();
        let now = Rc::<Cell<i64>>::default();
        let access = Access::new(script.clone(), TestClock(now.clone()));
        Self { access, script, now }
    }

    /// Prepares an answer to the next question, still to be given.
    fn later(&self) -> oneshot::Sender<Answer> {
        let (answer, answered) = oneshot::channel();
        self.script.answers.borrow_mut().push_back(answered);
        answer
    }

    /// Answers the next question.
    fn answer(&self, answer: Answer) {
        self.later().send(answer).unwrap();
    }

    fn token(&self) -> Result<String, TransportError> {
        self.access.token().now_or_never().expect("the answer is there")
    }

    fn asked(&self) -> usize {
        self.script.asked.borrow().len()
    }
}

fn token(text: &str) -> Answer {
    Ok(Token { token: text.into(), expires_in: 600 })
}

#[test]
fn a_token_is_used_until_shortly_before_its_time_is_over() {
    let setting = Setting::new();
    setting.answer(token("first"));
    assert_eq!(setting.token(), Ok("first".into()));
    setting.now.set(569_999);
    assert_eq!(setting.token(), Ok("first".into()));
    setting.now.set(570_000);
    setting.answer(token("second"));
    assert_eq!(setting.token(), Ok("second".into()));
    assert_eq!(setting.asked(), 2);
}

#[test]
fn many_that_ask_at_once_share_one_question() {
    let setting = Setting::new();
    let answer = setting.later();
    let mut all = Box::pin(join_all((0..5).map(|_| setting.access.token())));
    let mut context = Context::from_waker(Waker::noop());
    assert!(all.as_mut().poll(&mut context).is_pending());
    answer.send(token("one")).unwrap();
    let Poll::Ready(tokens) = all.as_mut().poll(&mut context) else { panic!("it is answered") };
    assert_eq!(tokens, vec![Ok("one".to_owned()); 5]);
    assert_eq!(setting.asked(), 1);
}

#[test]
fn a_question_that_nobody_waits_for_any_more_is_not_asked_twice() {
    let setting = Setting::new();
    let answer = setting.later();
    assert!(setting.access.token().now_or_never().is_none());
    answer.send(token("one")).unwrap();
    assert_eq!(setting.token(), Ok("one".into()));
    assert_eq!(setting.asked(), 1);
}

#[test]
fn what_failed_in_passing_is_tried_again() {
    let setting = Setting::new();
    for error in [TransportError::Offline, TransportError::KeyNeeded] {
        setting.answer(Err(error.clone()));
        assert_eq!(setting.token(), Err(error));
    }
    setting.answer(token("one"));
    assert_eq!(setting.token(), Ok("one".into()));
}

#[test]
fn a_token_that_was_refused_is_replaced_but_not_a_newer_one() {
    let setting = Setting::new();
    setting.answer(token("old"));
    assert_eq!(setting.token(), Ok("old".into()));
    setting.access.drop_token("old");
    setting.answer(token("new"));
    assert_eq!(setting.token(), Ok("new".into()));
    setting.access.drop_token("old");
    assert_eq!(setting.token(), Ok("new".into()));
}

#[test]
fn a_key_that_was_refused_is_not_shown_again() {
    let setting = Setting::new();
    setting.access.present(Some(Secret::new("wrong")));
    setting.answer(Err(TransportError::KeyRefused));
    assert_eq!(setting.token(), Err(TransportError::KeyRefused));
    assert_eq!(setting.token(), Err(TransportError::KeyRefused));
    setting.access.present(Some(Secret::new("right")));
    setting.answer(token("one"));
    assert_eq!(setting.token(), Ok("one".into()));
    let asked = ["wrong", "right"].map(|key| Some(key.to_owned()));
    assert_eq!(*setting.script.asked.borrow(), asked);
}

#[test]
fn an_answer_to_an_earlier_key_changes_nothing() {
    let setting = Setting::new();
    setting.access.present(Some(Secret::new("wrong")));
    let answer = setting.later();
    let mut early = Box::pin(setting.access.token());
    let mut context = Context::from_waker(Waker::noop());
    assert!(early.as_mut().poll(&mut context).is_pending());
    setting.access.present(Some(Secret::new("right")));
    answer.send(Err(TransportError::KeyRefused)).unwrap();
    assert!(early.as_mut().poll(&mut context).is_ready());
    setting.answer(token("one"));
    assert_eq!(setting.token(), Ok("one".into()));
}
