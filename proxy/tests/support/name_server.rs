//! A name server that says what a test tells it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use hickory_resolver::proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata::CNAME},
};
use tokio::net::UdpSocket;

/// What the name server says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The name's other name, if it is only another name for something.
    pub(crate) alias: Option<&'static str>,
    /// Addresses; of each question's kind, only those of that kind.
    pub(crate) addresses: Vec<IpAddr>,
    /// What the answer says that it is.
    pub(crate) code: Option<ResponseCode>,
    /// Whether it says that something is missing.
    pub(crate) truncated: bool,
    /// The kind of questions that it can't answer.
    pub(crate) unable: Option<RecordType>,
}

/// A name server, and the names that it was asked for.
pub(crate) struct NameServer {
    pub(crate) addr: SocketAddr,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

/// These addresses.
pub(crate) fn addresses(ips: &[&str]) -> Answer {
    Answer { addresses: ips.iter().map(|ip| ip.parse().unwrap()).collect(), ..Answer::default() }
}

/// Another name for something, with its addresses.
pub(crate) fn alias(alias: &'static str, ips: &[&str]) -> Answer {
    Answer { alias: Some(alias), ..addresses(ips) }
}

/// Nothing, for this reason.
pub(crate) fn failure(code: ResponseCode) -> Answer {
    Answer { code: Some(code), ..Answer::default() }
}

/// Answers each question with what `answer` says about its name, which ends in a dot. Nothing is to
/// be remembered.
pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + 'static) -> NameServer {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = socket.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    tokio::spawn(async move {
        let mut packet = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let question = Message::from_vec(&packet[..length]).unwrap();
            let name = question.queries[0].name().to_ascii();
            log.lock().unwrap().push(name.clone());
            let reply = reply(&question, answer(&name));
            socket.send_to(&reply.to_vec().unwrap(), from).await.unwrap();
        }
    });
    NameServer { addr, asked }
}

fn reply(question: &Message, answer: Answer) -> Message {
    let query = question.queries[0].clone();
    let mut reply = Message::response(question.metadata.id, OpCode::Query);
    reply.metadata.recursion_desired = true;
    reply.metadata.recursion_available = true;
    reply.metadata.truncation = answer.truncated;
    reply.metadata.response_code = answer.code.unwrap_or(ResponseCode::NoError);
    if answer.unable == Some(query.query_type()) {
        reply.metadata.response_code = ResponseCode::ServFail;
    }
    let mut name = query.name().clone();
    if let Some(alias) = answer.alias {
        let target = Name::from_ascii(alias).unwrap();
        reply.add_answer(Record::from_rdata(name, 0, RData::CNAME(CNAME(target.clone()))));
        name = target;
    }
    for ip in answer.addresses {
        let kind = if ip.is_ipv4() { RecordType::A } else { RecordType::AAAA };
        if kind == query.query_type() {
            reply.add_answer(Record::from_rdata(name.clone(), 0, RData::from(ip)));
        }
    }
    reply.add_query(query);
    reply
}
