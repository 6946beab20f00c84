//! Which process this is, for leases and for people.

use mirror_core::ports::Entropy;
use std::fs;

/// A host's name is cut to this: it stands in keys of databases.
const LONGEST: usize = 63;

/// One start of one process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// `host-pid-random`: no two starts share it, wherever they run. In containers hosts and pids
    /// repeat.
    pub name: String,
    /// The machine, as it calls itself.
    pub host: String,
    /// The process there.
    pub pid: u32,
}

impl Process {
    /// This one. Each call draws a new name.
    pub fn this(entropy: &dyn Entropy) -> Self {
        Self::on(&host(), std::process::id(), entropy)
    }

    fn on(host: &str, pid: u32, entropy: &dyn Entropy) -> Self {
        let host = plain(host);
        let random = entropy.next_u64() >> 32;
        Self {
            name: format!("{host}-{pid}-{random:08x}"),
            host,
            pid,
        }
    }
}

fn host() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .into_iter()
        .find_map(|file| {
            let text = fs::read_to_string(file).ok()?;
            let name = text.trim().to_owned();
            (!name.is_empty()).then_some(name)
        })
        .unwrap_or_default()
}

/// Letters, digits, dots and dashes, and not too many.
fn plain(host: &str) -> String {
    let host: String = host
        .trim()
        .chars()
        .map(|sign| match sign {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => sign,
            _ => '-',
        })
        .take(LONGEST)
        .collect();
    if host.is_empty() {
        "unknown-host".to_owned()
    } else {
        host
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SeededEntropy, SystemEntropy};

    #[test]
    fn a_name_says_where_and_is_never_given_twice() {
        let one = Process::this(&SystemEntropy);
        let two = Process::this(&SystemEntropy);
        assert_ne!(one.name, two.name);
        assert_eq!((&one.host, one.pid), (&two.host, two.pid));
        assert!(one.name.starts_with(&format!("{}-{}-", one.host, one.pid)));
    }

    #[test]
    fn a_strange_host_is_written_plainly() {
        let entropy = SeededEntropy::new(1);
        for (host, written) in [
            ("build.example", "build.example"),
            ("a b\u{e9}/c\n", "a-b--c"),
            ("", "unknown-host"),
        ] {
            assert_eq!(Process::on(host, 7, &entropy).host, written);
        }
        let long = "x".repeat(300);
        assert_eq!(Process::on(&long, 7, &entropy).host.len(), LONGEST);
    }
}
