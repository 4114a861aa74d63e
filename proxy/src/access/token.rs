//! Tokens: what a page shows to open a tunnel.
//!
//! A token says until when it is good, and is signed together with the origin of the page that it
//! was given to. Whoever knows the keys can check it: the proxy keeps no list, and copies of it that
//! share their keys accept each other's tokens.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_URL_SAFE_NO_PAD,
};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};

use crate::{
    limits::{CLOCK_SKEW, TOKEN_LIFETIME},
    server::Origin,
};

/// What a token begins with.
const VERSION: u8 = 1;

/// What is signed begins with, so that a key that also serves another purpose gives nothing away.
const PURPOSE: &[u8] = b"postern tunnel token\0";

const NONCE: usize = 16;
/// Version, expiry in seconds since 1970, nonce.
const CLAIMS: usize = 1 + 8 + NONCE;
const TAG: usize = 32;

/// Makes tokens and checks them.
pub(crate) struct Mint {
    /// The first signs, all verify.
    keys: Vec<hmac::Key>,
    random: SystemRandom,
}

/// A secret that signs tokens. It is never shown.
#[derive(Clone)]
pub struct TokenKey(Vec<u8>);

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TokenProblem {
    /// There is none.
    Missing,
    /// It is damaged, of another proxy, or of a page of another origin.
    Foreign,
    /// Its time is over.
    Expired,
}

impl Mint {
    /// Signs with the first of these keys, and accepts what any of them has signed. Without any,
    /// makes one for as long as the program runs.
    pub(crate) fn new(keys: &[TokenKey]) -> Self {
        let random = SystemRandom::new();
        let mut keys: Vec<_> =
            keys.iter().map(|TokenKey(key)| hmac::Key::new(hmac::HMAC_SHA256, key)).collect();
        if keys.is_empty() {
            let key = hmac::Key::generate(hmac::HMAC_SHA256, &random);
            keys.push(key.expect("the system has randomness"));
        }
        Self { keys, random }
    }

    /// A token for pages of this origin, good for [`TOKEN_LIFETIME`].
    pub(crate) fn issue(&self, origin: &Origin, now: SystemTime) -> String {
        let mut token = Vec::with_capacity(CLAIMS + TAG);
        token.push(VERSION);
        token.extend(seconds(now + TOKEN_LIFETIME).to_be_bytes());
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce).expect("the system has randomness");
        token.extend(nonce);
        let tag = hmac::sign(&self.keys[0], &signed(&token, origin));
        token.extend(tag.as_ref());
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// Checks a token that a page of this origin has shown. Takes as long for a signature that is
    /// almost right as for any other.
    pub(crate) fn check(
        &self,
        token: Option<&str>,
        origin: &Origin,
        now: SystemTime,
    ) -> Result<(), TokenProblem> {
        let token = token.ok_or(TokenProblem::Missing)?;
        let token = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenProblem::Foreign)?;
        let (claims, tag) = token.split_first_chunk::<CLAIMS>().ok_or(TokenProblem::Foreign)?;
        let signed = signed(claims, origin);
        // Every key is tried, so that the time does not tell which one it was.
        let verified = self
            .keys
            .iter()
            .fold(false, |found, key| hmac::verify(key, &signed, tag).is_ok() | found);
        if !verified || claims[0] != VERSION {
            return Err(TokenProblem::Foreign);
        }
        let expiry = claims[1..9].try_into().expect("these are eight bytes");
        if u64::from_be_bytes(expiry) < seconds(now - CLOCK_SKEW) {
            return Err(TokenProblem::Expired);
        }
        Ok(())
    }
}

/// What is signed: only the origin, at the end, has no fixed length.
fn signed(claims: &[u8], origin: &Origin) -> Vec<u8> {
    [PURPOSE, claims, origin.to_string().as_bytes()].concat()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

impl TokenKey {
    /// The fewest bytes of a key: as many as the signature has (RFC 2104, section 3).
    const LEAST: usize = 32;
}

impl FromStr for TokenKey {
    type Err = &'static str;

    /// Reads either alphabet of Base64, with or without padding.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let config =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let key = [STANDARD, URL_SAFE]
            .iter()
            .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
            .ok_or("must be in Base64, as `openssl rand -base64 32` writes it")?;
        if key.len() < Self::LEAST {
            return Err("must have at least 32 bytes, as `openssl rand -base64 32` makes them");
        }
        Ok(Self(key))
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    fn key(byte: u8) -> TokenKey {
        TokenKey(vec![byte; 32])
    }

    fn mint(keys: &[u8]) -> Mint {
        Mint::new(&keys.iter().map(|byte| key(*byte)).collect::<Vec<_>>())
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    #[test]
    fn a_token_is_good_until_its_time_is_over_and_clocks_may_differ_a_little() {
        let (mint, page) = (mint(&[1]), origin("https://mail.example.org"));
        let token = mint.issue(&page, now());
        let at = |after: Duration| mint.check(Some(&token), &page, now() + after);
        assert_eq!(at(Duration::ZERO), Ok(()));
        assert_eq!(at(TOKEN_LIFETIME + CLOCK_SKEW), Ok(()));
        let late = TOKEN_LIFETIME + CLOCK_SKEW + Duration::from_secs(1);
        assert_eq!(at(late), Err(TokenProblem::Expired));
        // A copy of the proxy whose clock is behind.
        assert_eq!(mint.check(Some(&token), &page, now() - CLOCK_SKEW), Ok(()));
    }

    #[test]
    fn a_token_is_for_pages_of_its_origin_alone() {
        let mint = mint(&[1]);
        let token = mint.issue(&origin("https://mail.example.org"), now());
        for (page, expected) in [
            ("https://mail.example.org", Ok(())),
            ("https://MAIL.example.org:443", Ok(())),
            ("http://mail.example.org", Err(TokenProblem::Foreign)),
            ("https://mail.example.org:8443", Err(TokenProblem::Foreign)),
            ("https://example.org", Err(TokenProblem::Foreign)),
        ] {
            assert_eq!(mint.check(Some(&token), &origin(page), now()), expected, "{page}");
        }
    }

    #[test]
    fn what_is_missing_damaged_or_of_another_proxy_is_refused() {
        let (mint, page) = (mint(&[1]), origin("https://mail.example.org"));
        let token = mint.issue(&page, now());
        assert_eq!(mint.check(None, &page, now()), Err(TokenProblem::Missing));
        let foreign = Mint::new(&[key(2)]).issue(&page, now());
        let longer = format!("{token}AAAA");
        for token in ["", "AQ", "not base64!", &token[1..], &longer, &foreign] {
            assert_eq!(
                mint.check(Some(token), &page, now()),
                Err(TokenProblem::Foreign),
                "{token}"
            );
        }
        for at in 0..BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap().len() {
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
            bytes[at] ^= 1;
            let damaged = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(
                mint.check(Some(&damaged), &page, now()),
                Err(TokenProblem::Foreign),
                "{at}"
            );
        }
    }

    #[test]
    fn keys_can_be_changed_while_old_tokens_are_about() {
        let page = origin("https://mail.example.org");
        let old = mint(&[1]).issue(&page, now());
        let changing = mint(&[2, 1]);
        assert_eq!(changing.check(Some(&old), &page, now()), Ok(()));
        let new = changing.issue(&page, now());
        assert_eq!(mint(&[2]).check(Some(&new), &page, now()), Ok(()));
        assert_eq!(mint(&[2]).check(Some(&old), &page, now()), Err(TokenProblem::Foreign));
    }

    #[test]
    fn without_keys_each_start_has_its_own() {
        let page = origin("https://mail.example.org");
        let mints = [mint(&[]), mint(&[])];
        let token = mints[0].issue(&page, now());
        assert_eq!(mints[0].check(Some(&token), &page, now()), Ok(()));
        assert_eq!(mints[1].check(Some(&token), &page, now()), Err(TokenProblem::Foreign));
    }

    #[test]
    fn no_two_tokens_are_alike() {
        let (mint, page) = (mint(&[1]), origin("https://mail.example.org"));
        assert_ne!(mint.issue(&page, now()), mint.issue(&page, now()));
    }

    #[test]
    fn a_key_has_32_bytes_in_base64_and_is_never_shown() {
        for (text, accepted) in [
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", true),
            ("++++++++++++++++++++++++++++++++++++++++++++", true),
            ("--------------------------------------------", true),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", false),
            ("this is not base64", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<TokenKey>().is_ok(), accepted, "{text}");
        }
        assert_eq!(format!("{:?}", key(b'x')), "TokenKey(…)");
    }
}
