//! Secrets at rest: sealed under the deployment's key, so that who reads the database reads no
//! token.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use mirror_core::ports::Entropy;
use sha2::{Digest, Sha256};
use std::fmt;

/// Tells this use of the deployment's key from every other (it signs markers, too).
const PURPOSE: &[u8] = b"issue-mirror/secrets-at-rest/1";
const VERSION: &str = "1:";
const NONCE: usize = 24;

/// Seals and opens secrets.
#[derive(Clone)]
pub struct Cipher(XChaCha20Poly1305);

/// A sealed secret that does not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "a stored secret does not open under this key; give the key it was stored under, or store the \
     secret anew"
)]
pub struct UnsealError;

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher").finish_non_exhaustive()
    }
}

impl Cipher {
    /// Under a key derived from the deployment's: neither tells anything of the other.
    pub fn new(deployment_key: &[u8; 32]) -> Self {
        let derived = Sha256::new()
            .chain_update(PURPOSE)
            .chain_update(deployment_key)
            .finalize();
        Self(XChaCha20Poly1305::new(&derived))
    }

    /// Seals a secret for one place (`instances/7/token`); it opens nowhere else.
    ///
    /// # Errors
    /// Only for secrets of a size that no memory holds.
    pub fn seal(
        &self,
        place: &str,
        secret: &str,
        entropy: &dyn Entropy,
    ) -> Result<String, UnsealError> {
        let mut nonce = [0_u8; NONCE];
        for part in nonce.chunks_mut(8) {
            let random = entropy.next_u64().to_le_bytes();
            part.iter_mut()
                .zip(random)
                .for_each(|(to, from)| *to = from);
        }
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: place.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| UnsealError)?;
        let whole: Vec<u8> = nonce.into_iter().chain(sealed).collect();
        Ok(format!("{VERSION}{}", STANDARD.encode(whole)))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`UnsealError`] if it was sealed under another key or for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &str) -> Result<String, UnsealError> {
        let whole = sealed.strip_prefix(VERSION).ok_or(UnsealError)?;
        let whole = STANDARD.decode(whole).map_err(|_| UnsealError)?;
        let (nonce, sealed) = whole.split_first_chunk::<NONCE>().ok_or(UnsealError)?;
        let payload = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        let opened = self
            .0
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| UnsealError)?;
        String::from_utf8(opened).map_err(|_| UnsealError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Counting(AtomicU64);

    impl Entropy for Counting {
        fn next_u64(&self) -> u64 {
            self.0.fetch_add(1, Ordering::Relaxed)
        }
    }

    #[test]
    fn a_sealed_secret_opens_only_under_its_key_and_in_its_place() {
        let entropy = Counting(AtomicU64::new(0));
        let cipher = Cipher::new(&[1; 32]);
        let sealed = cipher
            .seal("instances/7/token", "glpat-é", &entropy)
            .unwrap();
        assert!(!sealed.contains("glpat"));
        let opened = |cipher: &Cipher, place| cipher.open(place, &sealed);
        assert_eq!(opened(&cipher, "instances/7/token").unwrap(), "glpat-é");
        assert_eq!(opened(&cipher, "instances/8/token"), Err(UnsealError));
        assert_eq!(
            opened(&Cipher::new(&[2; 32]), "instances/7/token"),
            Err(UnsealError)
        );
        let again = cipher
            .seal("instances/7/token", "glpat-é", &entropy)
            .unwrap();
        assert_ne!(sealed, again, "each sealing has a nonce of its own");
    }

    #[test]
    fn what_was_changed_or_is_no_sealed_secret_does_not_open() {
        let entropy = Counting(AtomicU64::new(0));
        let cipher = Cipher::new(&[1; 32]);
        let sealed = cipher.seal("here", "secret", &entropy).unwrap();
        let mut bytes = STANDARD.decode(&sealed[2..]).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        let forged = format!("1:{}", STANDARD.encode(bytes));
        for text in [forged.as_str(), "", "1:", "1:AAAA", "2:AAAA", "glpat-plain"] {
            assert_eq!(cipher.open("here", text), Err(UnsealError), "{text}");
        }
    }
}
