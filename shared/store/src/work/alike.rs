//! Which errors are told as one.

use sha2::{Digest, Sha256};

/// Of an error without its numbers: what reads alike but for them has the same.
pub(crate) fn fingerprint(error: &str) -> String {
    let mut shape = String::with_capacity(error.len());
    for character in error.chars() {
        if !character.is_ascii_digit() {
            shape.push(character);
        } else if !shape.ends_with('#') {
            shape.push('#');
        }
    }
    let digest = hex::encode(Sha256::digest(shape.as_bytes()));
    digest.get(..16).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_differ_in_numbers_alone_are_alike() {
        let one = fingerprint("on the target: 502 for issue 17");
        assert_eq!(one, fingerprint("on the target: 503 for issue 4"));
        assert_ne!(one, fingerprint("on the source: 502 for issue 17"));
    }
}
