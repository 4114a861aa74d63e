//! Certificates as the page tells them to the person, whoever verified them.

use postern_bridge::{
    Certificate, CertificateDetails, CertificateProblem, Endpoint, RefusedCertificate, TlsEnd,
    TlsSession,
};
use postern_certificate::{Details, Problem, Refused, Why, fingerprint};
use postern_tunnel::{self as tunnel, CertificateInfo, TlsInfo};

/// A certificate in DER.
pub(super) fn certificate(der: &[u8]) -> Certificate {
    Certificate { fingerprint: fingerprint(der).into(), details: Details::read(der).map(details) }
}

/// A certificate that did not pass our own verification.
pub(super) fn refused_by_us(endpoint: &Endpoint, refused: &Refused) -> RefusedCertificate {
    let problem = match (&refused.why, endpoint.trusted) {
        (Why::Invalid(problem), _) => self::problem(problem.clone()),
        (Why::Changed { verifies }, Some(trusted)) => {
            CertificateProblem::Changed { trusted, verifies: *verifies }
        }
        (Why::Changed { .. }, None) => {
            unreachable!("nothing else is trusted without a fingerprint")
        }
    };
    RefusedCertificate {
        host: endpoint.host.clone(),
        port: endpoint.port,
        verifier: TlsEnd::Browser,
        problem,
        certificate: Some(certificate(&refused.certificate)),
    }
}

/// A certificate that did not pass the proxy's verification.
pub(super) fn refused_by_proxy(
    host: &str,
    port: u16,
    refused: tunnel::Refused,
) -> RefusedCertificate {
    let (problem, info) = match refused.certificate {
        Some(refused) => (problem(refused.problem), Some(refused.certificate)),
        None => (CertificateProblem::Other(refused.message), None),
    };
    RefusedCertificate {
        host: host.to_owned(),
        port,
        verifier: TlsEnd::Proxy,
        problem,
        certificate: info.and_then(told),
    }
}

/// A session that the proxy has with a server.
pub(super) fn session_of_proxy(info: TlsInfo) -> TlsSession {
    TlsSession {
        version: info.version,
        cipher: info.cipher,
        certificate: info.certificate.and_then(told),
        end: TlsEnd::Proxy,
    }
}

/// A certificate that the proxy tells of.
fn told(info: CertificateInfo) -> Option<Certificate> {
    let fingerprint = info.fingerprint.parse().ok()?;
    Some(Certificate { fingerprint, details: info.details.map(details) })
}

fn details(details: Details) -> CertificateDetails {
    let millis = |seconds: u64| i64::try_from(seconds).map_or(i64::MAX, |s| s.saturating_mul(1000));
    CertificateDetails {
        subject: details.subject,
        issuer: details.issuer,
        names: details.names,
        not_before: millis(details.not_before),
        not_after: millis(details.not_after),
    }
}

fn problem(problem: Problem) -> CertificateProblem {
    match problem {
        Problem::Expired => CertificateProblem::Expired,
        Problem::NotYetValid => CertificateProblem::NotYetValid,
        Problem::OtherHost => CertificateProblem::OtherHost,
        Problem::UnknownIssuer => CertificateProblem::UnknownIssuer,
        Problem::SelfSigned => CertificateProblem::SelfSigned,
        Problem::Revoked => CertificateProblem::Revoked,
        Problem::Other(sentence) => CertificateProblem::Other(sentence),
    }
}
