//! The parser alone, beside others, on the answer that Dovecot gave to a first sync.

use std::{hint::black_box, time::Instant};

use anyhow::Result;
use imap_codec::{ResponseCodec, decode::Decoder};
use postern_imap::{Event, Limits, Output, Response, Session};
use postern_tests::{
    contest::{Contest, Entry, Goal},
    corpus,
    dovecot::Dovecot,
    report::{RUNS, Unit, rate, scaled},
};
use serde_json::Value;

use crate::native;

/// Whose inbox it is.
const USER: &str = "ben";

/// What a socket gives at a time.
const PIECE: usize = 64 << 10;

/// Megabytes per second of FETCH responses with envelope and structure that become typed values.
///
/// # Panics
///
/// If one of those that take part does not understand every response.
pub(crate) async fn figure() -> Result<Value> {
    let messages = scaled(20_000);
    let dovecot = Dovecot::start()?;
    dovecot.deliver_all(USER, corpus::letters(messages))?;
    let bytes = native::record(&dovecot, USER).await?;
    let contestants: [fn(&[u8]) -> usize; 3] = [postern, imap_codec, imap_proto];
    let mut values = contestants.map(|_| Vec::new());
    for run in 0..=RUNS {
        for (parse, values) in contestants.iter().zip(&mut values) {
            let start = Instant::now();
            let understood = black_box(parse(&bytes));
            let took = start.elapsed();
            assert_eq!(understood, messages);
            if run > 0 {
                values.push(rate(bytes.len(), took));
            }
        }
    }
    let [ours, codec, proto] = values;
    let peer = |name: &str, values| Entry { name: name.into(), values, rival: true };
    let figure = Contest {
        name: "imap/parser alone".into(),
        unit: Unit::Rate,
        goal: Goal::Ratio(2.0),
        ours,
        peers: vec![peer("imap-codec", codec), peer("imap-proto", proto)],
    };
    Ok(figure.figure())
}

fn postern(bytes: &[u8]) -> usize {
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK\r\n");
    let mut understood = 0;
    for piece in bytes.chunks(PIECE) {
        session.handle_input(piece);
        while let Some(output) = session.poll_output() {
            if let Output::Event(Event::Response(Response::Fetch(fetch))) = output {
                let whole = fetch.envelope.is_some() && fetch.body_structure.is_some();
                understood += usize::from(whole);
            }
        }
    }
    understood
}

fn imap_codec(mut bytes: &[u8]) -> usize {
    let codec = ResponseCodec::default();
    let mut understood = 0;
    while let Ok((rest, response)) = codec.decode(bytes) {
        black_box(response);
        understood += 1;
        bytes = rest;
    }
    understood
}

fn imap_proto(mut bytes: &[u8]) -> usize {
    let mut understood = 0;
    while let Ok((rest, response)) = imap_proto::Response::from_bytes(bytes) {
        black_box(response);
        understood += 1;
        bytes = rest;
    }
    understood
}
