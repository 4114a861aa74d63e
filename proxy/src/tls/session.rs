//! What the two sides of TLS have in common.

use bytes::BytesMut;
use rustls::{
    CommonState, Error,
    client::UnbufferedClientConnection,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus},
};

/// A side's session.
pub(crate) trait Session {
    /// What makes it that side's.
    type Side;

    /// Goes on until there is something to do; see rustls' method of the same name.
    fn process_tls_records<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Side>;

    /// What was agreed on.
    fn state(&self) -> &CommonState;
}

macro_rules! session {
    ($session:ty, $side:ty) => {
        impl Session for $session {
            type Side = $side;

            fn process_tls_records<'c, 'i>(
                &'c mut self,
                incoming: &'i mut [u8],
            ) -> UnbufferedStatus<'c, 'i, $side> {
                (**self).process_tls_records(incoming)
            }

            fn state(&self) -> &CommonState {
                self
            }
        }
    };
}

session!(UnbufferedClientConnection, rustls::client::ClientConnectionData);
session!(UnbufferedServerConnection, rustls::server::ServerConnectionData);

/// Takes all whole records off the front of `incoming`. Hands what they carry to `plain`, and puts
/// what is to be answered into `outgoing`, alerts included. Returns how many bytes are done with,
/// and whether the other side has ended its stream.
pub(super) fn process<S: Session>(
    session: &mut S,
    incoming: &mut [u8],
    outgoing: &mut BytesMut,
    mut plain: impl FnMut(&[u8]),
) -> (usize, Result<bool, Error>) {
    let (mut done, mut ended) = (0, false);
    loop {
        let UnbufferedStatus { discard, state } =
            session.process_tls_records(&mut incoming[done..]);
        let settled = match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(Ok(record)) = traffic.next_record() {
                    plain(record.payload);
                }
                false
            }
            Ok(ConnectionState::EncodeTlsData(data)) => {
                encode(data, outgoing);
                false
            }
            Ok(ConnectionState::TransmitTlsData(data)) => {
                data.done(); // It waits in `outgoing`.
                false
            }
            Ok(ConnectionState::PeerClosed) => {
                ended = true;
                false
            }
            // Early data is never allowed.
            Ok(_) => true,
            Err(error) => {
                encode_alert(session, outgoing);
                return (done + discard, Err(error));
            }
        };
        done += discard;
        if settled {
            return (done, Ok(ended));
        }
    }
}

/// After an error: what tells the other side. No more of what arrived may be looked at.
fn encode_alert<S: Session>(session: &mut S, outgoing: &mut BytesMut) {
    while session.state().wants_write() {
        match session.process_tls_records(&mut []).state {
            Ok(ConnectionState::EncodeTlsData(data)) => encode(data, outgoing),
            _ => return,
        }
    }
}

fn encode<Side>(mut data: EncodeTlsData<'_, Side>, outgoing: &mut BytesMut) {
    let start = outgoing.len();
    if let Err(EncodeError::InsufficientSize(error)) = data.encode(&mut []) {
        outgoing.resize(start + error.required_size, 0);
        data.encode(&mut outgoing[start..]).expect("there is as much room as was asked for");
    }
}
