//! Passwords: hashed with Argon2id, off the threads that serve requests and few at a time, because
//! each takes 19 MiB and some 20 ms of a processor.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use mirror_core::ports::Entropy;
use tokio::sync::Semaphore;

/// The fewest characters of a password.
pub const SHORTEST: usize = 12;
/// The most bytes.
const LONGEST: usize = 1024;

static PLACES: Semaphore = Semaphore::const_new(2);

/// Of nobody: looked at where there is no such person, so that an answer takes as long.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                       $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password that cannot be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordError {
    /// It would be found by trying.
    #[error("a password takes {SHORTEST} characters or more; a few words do")]
    TooShort,
    /// It is a file, or a mistake.
    #[error("a password takes {LONGEST} bytes at most")]
    TooLong,
    /// It could not be hashed.
    #[error("the password could not be hashed; try again")]
    Failed,
}

/// Whether a password can be taken.
///
/// # Errors
/// [`PasswordError::TooShort`], [`PasswordError::TooLong`].
pub fn acceptable(password: &str) -> Result<(), PasswordError> {
    if password.len() > LONGEST {
        return Err(PasswordError::TooLong);
    }
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    Ok(())
}

/// Hashes a password with a salt of its own, as a PHC string: Argon2id with 19 MiB and two passes.
///
/// # Errors
/// It is not [acceptable].
pub async fn hashed(password: &str, entropy: &dyn Entropy) -> Result<String, PasswordError> {
    acceptable(password)?;
    let mut salt = [0_u8; 16];
    for part in salt.chunks_mut(8) {
        part.copy_from_slice(&entropy.next_u64().to_le_bytes());
    }
    let password = password.to_owned();
    apart(move || {
        let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
        hashed.map(|hashed| hashed.to_string()).ok()
    })
    .await
    .flatten()
    .ok_or(PasswordError::Failed)
}

/// Whether this is the password that was hashed; never, where there is nobody to compare with, which
/// takes as long to find out.
pub async fn is_right(password: &str, hashed: Option<&str>) -> bool {
    if password.len() > LONGEST {
        return false;
    }
    let known = hashed.is_some();
    let hashed = hashed.unwrap_or(NOBODYS).to_owned();
    let password = password.to_owned();
    let right = apart(move || {
        let looked_at = Argon2::default().verify_password(password.as_bytes(), hashed.as_str());
        looked_at.is_ok()
    });
    right.await.unwrap_or(false) && known
}

/// Runs it on a thread that may take its time.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _place = PLACES.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_runtime::SystemEntropy;

    const GOOD: &str = "four plain words here";

    #[tokio::test]
    async fn a_password_is_known_again_and_no_two_hashes_are_alike() {
        let once = hashed(GOOD, &SystemEntropy).await.unwrap();
        let twice = hashed(GOOD, &SystemEntropy).await.unwrap();
        assert!(
            once.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{once}"
        );
        assert_ne!(once, twice);
        assert!(is_right(GOOD, Some(&once)).await);
        assert!(!is_right("four plain words there", Some(&once)).await);
        assert!(!is_right(GOOD, Some("not a hash")).await);
    }

    #[tokio::test]
    async fn nobody_has_any_password() {
        assert!(
            NOBODYS
                .parse::<argon2::password_hash::phc::PasswordHash>()
                .is_ok()
        );
        assert!(!is_right(GOOD, None).await);
        assert!(!is_right("", None).await);
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert_eq!(acceptable("elevenchars"), Err(PasswordError::TooShort));
        assert_eq!(acceptable("zwölf zeichen"), Ok(()));
        let endless = "x".repeat(LONGEST + 1);
        assert_eq!(acceptable(&endless), Err(PasswordError::TooLong));
    }
}
