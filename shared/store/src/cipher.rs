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
/// Tells how a key is named beside what it sealed. The name tells nothing of the key.
const NAMING: &[u8] = b"issue-mirror/key-name/1";
/// Names the key.
const VERSION: &str = "2:";
/// Named none: there was one key only.
const NAMELESS: &str = "1:";
const NONCE: usize = 24;

/// Seals and opens secrets. While a key is replaced by another one, two open.
#[derive(Clone)]
pub struct Cipher {
    /// Seals.
    current: Sealing,
    /// Only opens.
    old: Option<Sealing>,
}

/// One key.
#[derive(Clone)]
struct Sealing {
    name: String,
    cipher: XChaCha20Poly1305,
}

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
        Self {
            current: Sealing::under(deployment_key),
            old: None,
        }
    }

    /// Opens also what was sealed under the deployment's old key, and still seals under the new one.
    #[must_use]
    pub fn and_opens(self, old_key: &[u8; 32]) -> Self {
        Self {
            old: Some(Sealing::under(old_key)),
            ..self
        }
    }

    /// Whether it was sealed under the current key, and says so.
    pub(crate) fn is_current(&self, sealed: &str) -> bool {
        let named = sealed.strip_prefix(VERSION);
        let name = named.and_then(|named| named.split_once(':'));
        name.is_some_and(|(name, _)| name == self.current.name)
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
        let Sealing { name, cipher } = &self.current;
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| UnsealError)?;
        let whole: Vec<u8> = nonce.into_iter().chain(sealed).collect();
        Ok(format!("{VERSION}{name}:{}", STANDARD.encode(whole)))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`UnsealError`] if it was sealed under another key or for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &str) -> Result<String, UnsealError> {
        let keys = || std::iter::once(&self.current).chain(&self.old);
        if let Some(whole) = sealed.strip_prefix(NAMELESS) {
            let opened = keys().find_map(|key| key.open(place, whole).ok());
            return opened.ok_or(UnsealError);
        }
        let named = sealed.strip_prefix(VERSION).ok_or(UnsealError)?;
        let (name, whole) = named.split_once(':').ok_or(UnsealError)?;
        let key = keys().find(|key| key.name == name).ok_or(UnsealError)?;
        key.open(place, whole)
    }
}

impl Sealing {
    fn under(deployment_key: &[u8; 32]) -> Self {
        let derived = |purpose: &[u8]| {
            Sha256::new()
                .chain_update(purpose)
                .chain_update(deployment_key)
                .finalize()
        };
        Self {
            name: hex::encode(derived(NAMING)).chars().take(8).collect(),
            cipher: XChaCha20Poly1305::new(&derived(PURPOSE)),
        }
    }

    fn open(&self, place: &str, whole: &str) -> Result<String, UnsealError> {
        let whole = STANDARD.decode(whole).map_err(|_| UnsealError)?;
        let (nonce, sealed) = whole.split_first_chunk::<NONCE>().ok_or(UnsealError)?;
        let payload = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        let opened = self
            .cipher
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
    fn two_keys_open_while_one_is_replaced_and_one_seals() {
        let entropy = Counting(AtomicU64::new(0));
        let (old, new) = (Cipher::new(&[1; 32]), Cipher::new(&[2; 32]));
        let both = new.clone().and_opens(&[1; 32]);
        let before = old.seal("here", "secret", &entropy).unwrap();
        assert_eq!(both.open("here", &before).unwrap(), "secret");
        assert!(old.is_current(&before) && !both.is_current(&before));
        let after = both.seal("here", "secret", &entropy).unwrap();
        assert!(both.is_current(&after));
        assert_eq!(new.open("here", &after).unwrap(), "secret");
        assert_eq!(old.open("here", &after), Err(UnsealError));
    }

    #[test]
    fn what_an_earlier_version_sealed_opens_under_whichever_key_it_was() {
        // Written by the version whose keys had no names.
        let sealed = "1:AAAAAAAAAAABAAAAAAAAAAIAAAAAAAAAfmPu8NOst/+f3SkX/H+wpqH9Lt5+bxpv";
        let new = Cipher::new(&[2; 32]);
        assert_eq!(new.open("instances/7/token", sealed), Err(UnsealError));
        let both = new.and_opens(&[1; 32]);
        assert_eq!(both.open("instances/7/token", sealed).unwrap(), "glpat-é");
        assert!(!both.is_current(sealed));
        assert!(!Cipher::new(&[1; 32]).is_current(sealed));
    }

    #[test]
    fn what_was_changed_or_is_no_sealed_secret_does_not_open() {
        let entropy = Counting(AtomicU64::new(0));
        let cipher = Cipher::new(&[1; 32]);
        let sealed = cipher.seal("here", "secret", &entropy).unwrap();
        let (head, whole) = sealed.rsplit_once(':').unwrap();
        let mut bytes = STANDARD.decode(whole).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        let forged = format!("{head}:{}", STANDARD.encode(bytes));
        let short = format!("{head}:AAAA");
        for text in [
            &forged,
            &short,
            "",
            "1:",
            "1:AAAA",
            "2:AAAA",
            "3:AAAA",
            "glpat-plain",
        ] {
            assert_eq!(cipher.open("here", text), Err(UnsealError), "{text}");
        }
    }
}
