//! Secrets of our own making: API tokens, session cookies, set-up codes. The record keeps digests of
//! them only; these are long enough by chance to need no salt and no slow hash.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mirror_core::ports::Entropy;
use sha2::{Digest, Sha256};

/// By which a token is told from any other secret, in files and by scanners.
const PREFIX: &str = "imt_";
/// How much of a token is shown later on.
const HINT: usize = 8;
/// Figures and letters of which no two look alike.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A secret that was made just now. Shown once, then known by its digest only.
pub struct Minted {
    /// The secret.
    pub secret: String,
    /// What is kept of it.
    pub digest: String,
}

impl Minted {
    fn of(secret: String) -> Self {
        let digest = digest(&secret);
        Self { secret, digest }
    }
}

/// An API token: `imt_` and 43 characters of chance.
pub fn token(entropy: &dyn Entropy) -> Minted {
    Minted::of(format!("{PREFIX}{}", chance(entropy)))
}

/// The beginning of a token, by which its holder tells which one it is.
pub fn hint(token: &str) -> &str {
    token.get(..HINT).unwrap_or_default()
}

/// The value of a session's cookie.
pub fn session(entropy: &dyn Entropy) -> Minted {
    Minted::of(chance(entropy))
}

/// What a page of a session sends along with every change, so that no other site's page can. It
/// follows from the cookie, which such a page cannot read.
pub fn csrf(session: &str) -> String {
    let derived = Sha256::new()
        .chain_update(b"issue-mirror/csrf/1\0")
        .chain_update(session.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(derived.finalize())
}

/// A code for the first administrator to type: four times five figures and letters.
pub fn setup_code(entropy: &dyn Entropy) -> Minted {
    let bytes = random(entropy);
    let signs: Vec<char> = bytes
        .iter()
        .take(20)
        .filter_map(|byte| SIGNS.get(usize::from(byte % 32)))
        .map(|sign| char::from(*sign))
        .collect();
    let parts: Vec<String> = signs.chunks(5).map(|part| part.iter().collect()).collect();
    let secret = parts.join("-");
    let digest = setup_digest(&secret);
    Minted { secret, digest }
}

/// The digest of a code as somebody typed it.
pub fn setup_digest(typed: &str) -> String {
    let plain: String = typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|sign| match sign.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            sign => sign,
        })
        .collect();
    digest(&plain)
}

/// What the record keeps of a secret.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

fn chance(entropy: &dyn Entropy) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random(entropy))
}

fn random(entropy: &dyn Entropy) -> [u8; 32] {
    let mut bytes = [0_u8; 32];
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&entropy.next_u64().to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_runtime::SystemEntropy;

    #[test]
    fn a_token_is_known_by_its_beginning_and_found_by_its_digest() {
        let minted = token(&SystemEntropy);
        assert_eq!(minted.secret.len(), 4 + 43);
        assert!(minted.secret.starts_with("imt_"));
        assert_eq!(hint(&minted.secret), &minted.secret[..8]);
        assert_eq!(digest(&minted.secret), minted.digest);
        assert!(!minted.digest.contains(&minted.secret[4..12]));
        assert_ne!(token(&SystemEntropy).secret, minted.secret);
    }

    #[test]
    fn a_code_may_be_typed_carelessly() {
        let minted = setup_code(&SystemEntropy);
        assert_eq!(minted.secret.len(), 23, "{}", minted.secret);
        let careless = minted.secret.to_lowercase().replace('-', " ");
        assert_eq!(setup_digest(&careless), minted.digest);
        let misread = minted.secret.replace('0', "o").replace('1', "l");
        assert_eq!(setup_digest(&misread), minted.digest);
    }

    #[test]
    fn what_pages_send_along_follows_from_the_session_and_is_not_it() {
        let minted = session(&SystemEntropy);
        assert_eq!(csrf(&minted.secret), csrf(&minted.secret));
        assert_ne!(csrf(&minted.secret), minted.secret);
        assert_ne!(csrf("one"), csrf("another"));
    }
}
