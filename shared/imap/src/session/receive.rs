//! What the server said, taken in.

use super::{
    Defect, Event, FatalError, Finish, FramingError, InFlight, Output, Phase, Quirks, Session,
    outgoing::Reply,
};
use crate::{
    Response,
    compression::Compression,
    framer::Frame,
    quirks::IDLE_RENEWAL,
    response::{self, Capabilities, Code, Parsed, SearchResult, Status, StatusKind, TokenDefect},
};

impl Session {
    /// Reads the next frame of what has come; says whether there was one.
    pub(super) fn read(&mut self) -> bool {
        let mut input = std::mem::take(&mut self.input);
        let mut rest = input.rest();
        let found = self.phase != Phase::Over && self.read_frame(&mut rest);
        let rest = rest.len();
        input.keep(rest);
        self.input = input;
        found
    }

    fn read_frame(&mut self, rest: &mut &[u8]) -> bool {
        if self.phase == Phase::Handshake {
            if !rest.is_empty() {
                self.fail(FatalError::BytesBeforeTls);
            }
            return false;
        }
        match self.framer.next(rest) {
            Ok(Some(Frame::Response(raw))) => {
                self.taken += raw.parts().0.len() as u64;
                let (parsed, defect) = response::parse(raw, &self.arena, &self.limits);
                let balanced = defect != Some(Defect::Tokens(TokenDefect::Unbalanced));
                // What was taken for its end was in the middle of a literal, or the other way
                // round: what follows may be anything, such as a message that looks like
                // responses.
                let misread = raw.has_literals() && !balanced;
                self.arena.clear();
                if misread {
                    self.fail(FramingError::WrongLiteralSize.into());
                    return true;
                }
                let was_compressed = self.compression.is_some();
                self.handle_response(parsed, defect);
                // The server compresses from the byte behind its OK.
                if let Some(compression) = self.compression.as_mut().filter(|_| !was_compressed) {
                    compression.receive(std::mem::take(rest));
                }
            }
            // Before the greeting there can be no literal.
            Ok(Some(_)) if self.phase == Phase::Greeting => self.fail(FatalError::NoGreeting),
            Ok(Some(Frame::StreamStart(stream, size))) => {
                self.emit(Event::LiteralStart { stream, size });
            }
            Ok(Some(Frame::StreamChunk(stream, bytes))) => {
                let bytes = bytes.to_vec();
                self.taken += bytes.len() as u64;
                self.emit(Event::LiteralChunk { stream, bytes });
            }
            Ok(Some(Frame::StreamEnd(stream))) => self.emit(Event::LiteralEnd { stream }),
            Ok(None) => return false,
            Err(error) => self.fail(error.into()),
        }
        true
    }

    fn handle_response(&mut self, parsed: Parsed, defect: Option<Defect>) {
        if self.phase == Phase::Greeting {
            return self.handle_greeting(parsed, defect);
        }
        if let Some(defect) = defect {
            self.emit(Event::Defect(defect));
        }
        match parsed {
            Parsed::Untagged(response) => self.handle_untagged(response),
            Parsed::Tagged(tag, status) => self.handle_tagged(&tag, status),
            Parsed::Continuation(text) => self.handle_continuation(&text),
        }
    }

    fn handle_greeting(&mut self, parsed: Parsed, defect: Option<Defect>) {
        let Parsed::Untagged(Response::Status(status)) = parsed else {
            return self.fail(FatalError::NoGreeting);
        };
        match status.kind {
            StatusKind::Ok | StatusKind::Bye => {}
            StatusKind::PreAuth if self.requires_tls => {
                return self.fail(FatalError::PreAuthBeforeTls);
            }
            StatusKind::PreAuth => {}
            StatusKind::No | StatusKind::Bad => return self.fail(FatalError::NoGreeting),
        }
        self.phase = match status.kind {
            StatusKind::Bye => Phase::Leaving,
            _ => Phase::Open,
        };
        self.quirks.learn_from_greeting(&status.text);
        self.learn_from(&status);
        self.outputs.extend(defect.map(|defect| Output::Event(Event::Defect(defect))));
        self.emit(Event::Greeting(status));
        self.send_queued();
    }

    /// Counts a response that ends no command. Without end they are a flood, and that is the end.
    fn is_flood(&mut self) -> bool {
        self.untagged += 1;
        let limit =
            if self.in_flight.is_empty() { self.limits.unasked } else { self.limits.untagged };
        let is_flood = self.untagged > limit;
        if is_flood {
            self.fail(FatalError::Flood);
        }
        is_flood
    }

    fn handle_untagged(&mut self, response: Response) {
        if self.is_flood() {
            return;
        }
        if let Response::Search(SearchResult { tag: Some(tag), .. }) = &response
            && !self.is_searching(tag)
        {
            return self.emit(Event::Defect(Defect::UnknownTag));
        }
        match &response {
            Response::Capability(capabilities) => self.learn(capabilities.clone()),
            Response::Enabled(names) => {
                let names = names.iter().filter(|name| name.len() <= self.limits.extension_name);
                let room = self.limits.capabilities.saturating_sub(self.enabled.len());
                self.enabled.extend(names.map(|name| name.to_ascii_uppercase()).take(room));
            }
            Response::Id(fields) => self.quirks.learn_from_id(fields),
            Response::Status(status) => {
                self.learn_from(status);
                let asked = self.in_flight.iter().any(|command| command.name == "LOGOUT");
                if status.kind == StatusKind::Bye && !asked {
                    self.phase = Phase::Leaving;
                    self.emit(Event::Goodbye(status.clone()));
                    return;
                }
            }
            _ => {}
        }
        let (contradiction, response) = self.mailbox.observe(response);
        self.outputs.extend(contradiction.map(|found| Output::Event(found.into())));
        self.outputs.extend(response.map(|response| Output::Event(Event::Response(response))));
    }

    /// Whether a tag is that of a search whose answer is still to come (RFC 4466 section 2.6.2).
    fn is_searching(&self, tag: &str) -> bool {
        self.in_flight.iter().any(|own| own.name == "UID SEARCH" && own.tag.is(tag.as_bytes()))
    }

    fn handle_tagged(&mut self, tag: &[u8], status: Status) {
        let Some(at) = self.in_flight.iter().position(|own| own.tag.is(tag)) else {
            if !self.is_flood() {
                self.emit(Event::Defect(Defect::UnknownTag));
            }
            return;
        };
        let InFlight { tag, name, effect } = self.in_flight.remove(at);
        self.untagged = 0;
        // A refusal in the middle of a command: the rest of it is no longer wanted, apart from
        // what was announced.
        if let Some(first) = self.queue.front_mut().filter(|first| first.tag() == tag) {
            if status.kind == StatusKind::Ok && !first.is_verified() {
                return self.fail(FatalError::Unverified);
            }
            self.quirks.learn_from_early_end(name, &status, first.is_idling());
            if !first.cut_short() {
                self.queue.pop_front();
            }
        }
        self.learn_from(&status);
        if status.kind == StatusKind::Ok {
            self.finish(effect);
        } else {
            self.quirks.learn_from_refusal(&status.text);
        }
        self.emit(Event::Completed { tag, status });
        self.send_queued();
    }

    fn finish(&mut self, effect: Finish) {
        match effect {
            Finish::Nothing => {}
            Finish::LogIn if self.capabilities_fresh => {}
            Finish::LogIn => self.capabilities = None,
            Finish::StartTls => {
                self.capabilities = None;
                self.enabled.clear();
                self.quirks = Quirks::default();
                self.mailbox.forget();
                self.phase = Phase::Handshake;
            }
            Finish::Compress => {
                self.compression.get_or_insert_with(Compression::new);
            }
        }
    }

    fn handle_continuation(&mut self, text: &[u8]) {
        if self.is_flood() {
            return;
        }
        match self.queue.front_mut().and_then(|first| first.go_ahead(text)) {
            Some(Reply::Send(bytes)) => self.send(bytes),
            Some(Reply::Proceed) => {}
            Some(Reply::Idle) => {
                self.emit(Event::Idling { renew_within: IDLE_RENEWAL });
            }
            Some(Reply::HangUp) => return self.fail(FatalError::Unverified),
            None => return self.emit(Event::Defect(Defect::UnexpectedContinuation)),
        }
        self.send_queued();
    }

    fn learn_from(&mut self, status: &Status) {
        if let Some(Code::Capability(capabilities)) = &status.code {
            self.learn(capabilities.clone());
        }
    }

    fn learn(&mut self, capabilities: Capabilities) {
        self.capabilities = Some(capabilities);
        self.capabilities_fresh = true;
    }
}
