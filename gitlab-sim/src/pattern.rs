//! File content of any size that costs no memory: made while it is sent, recognised while it comes.

use std::sync::LazyLock;

use bytes::Bytes;

/// Length of the pieces in which generated content is made.
const BLOCK: usize = 64 * 1024;

/// Bytes at the start of a block that tell it from the others.
const HEAD: usize = 8;

/// What every block holds but for its first eight bytes.
static TEXTURE: LazyLock<Vec<u8>> = LazyLock::new(|| (0..=250u8).cycle().take(BLOCK).collect());

/// Blocks of the content named by `seed`, `size` bytes in all.
///
/// Block `n` starts with `n` xor `seed` (8 bytes, little endian) and goes on with a fixed texture,
/// so that blocks out of place and other seeds show.
pub fn blocks(seed: u64, size: u64) -> impl Iterator<Item = Bytes> + Send + 'static {
    let count = size.div_ceil(BLOCK as u64);
    (0..count).map(move |number| {
        let left = usize::try_from(size - number * BLOCK as u64).unwrap_or(BLOCK);
        let mut block = Vec::with_capacity(BLOCK);
        block.extend_from_slice(&head(seed, number));
        block.extend_from_slice(TEXTURE.get(HEAD..).unwrap_or(&[]));
        block.truncate(left);
        Bytes::from(block)
    })
}

fn head(seed: u64, number: u64) -> [u8; HEAD] {
    (number ^ seed).to_le_bytes()
}

/// Follows incoming bytes and tells whether they are generated content, holding none of them.
#[derive(Debug, Default)]
pub struct Recogniser {
    seed: Option<u64>,
    /// Bytes of the block not yet complete.
    partial: Vec<u8>,
    complete: u64,
}

impl Recogniser {
    /// Takes the next piece; `false` as soon as the content is none of ours.
    pub fn take(&mut self, piece: &[u8]) -> bool {
        self.partial.extend_from_slice(piece);
        while self.partial.len() >= BLOCK {
            let rest = self.partial.split_off(BLOCK);
            let block = std::mem::replace(&mut self.partial, rest);
            if !self.matches(&block) {
                self.partial = [block, std::mem::take(&mut self.partial)].concat();
                return false;
            }
            self.complete += 1;
        }
        true
    }

    fn matches(&mut self, bytes: &[u8]) -> bool {
        let Some((first, rest)) = bytes.split_first_chunk::<HEAD>() else {
            return false;
        };
        let seed = *self
            .seed
            .get_or_insert(u64::from_le_bytes(*first) ^ self.complete);
        *first == head(seed, self.complete) && TEXTURE.get(HEAD..bytes.len()) == Some(rest)
    }

    /// At the end: the seed, if all of it was generated content.
    pub fn finish(&mut self) -> Option<u64> {
        let rest = std::mem::take(&mut self.partial);
        let fits = rest.is_empty() || self.matches(&rest);
        self.partial = rest;
        self.seed.filter(|_| fits)
    }

    /// Everything taken so far, made anew: for content that turned out not to be generated.
    #[must_use]
    pub fn recover(self) -> Vec<u8> {
        let seed = self.seed.unwrap_or(0);
        let mut bytes: Vec<u8> = blocks(seed, self.complete * BLOCK as u64)
            .flatten()
            .collect();
        bytes.extend(self.partial);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_content_is_recognised_whatever_the_pieces() {
        let whole: Vec<u8> = blocks(77, 200_001).flatten().collect();
        assert_eq!(whole.len(), 200_001);
        for piece in [1_000, 65_536, 65_537] {
            let mut recogniser = Recogniser::default();
            assert!(whole.chunks(piece).all(|piece| recogniser.take(piece)));
            assert_eq!(recogniser.finish(), Some(77));
        }
    }

    #[test]
    fn foreign_content_is_given_back_unharmed() {
        let mut foreign: Vec<u8> = blocks(5, 150_000).flatten().collect();
        foreign[140_000] ^= 1;
        let mut recogniser = Recogniser::default();
        assert!(recogniser.take(&foreign));
        assert_eq!(recogniser.finish(), None);
        assert_eq!(recogniser.recover(), foreign);
    }
}
