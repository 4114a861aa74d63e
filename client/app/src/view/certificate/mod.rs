//! Certificates: what they say, and what to do when one was refused.

mod confirm;
mod facts;
mod refused;

pub(crate) use self::{
    facts::{CertificateFacts, fact},
    refused::Refused,
};
