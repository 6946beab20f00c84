//! Whether a request is the hook's: it carries the mirror's secret, or is signed under its key as
//! Standard Webhooks has it (facts section 10). Compared so that time tells nothing.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use mirror_store::HookSecrets;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// How far the time of a signature may be from ours.
const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// A request is the hook's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Proof {
    /// What no other request has, where that is signed: the message's id, and when it was sent. A
    /// GitLab that sends a message again signs it anew.
    pub(crate) id: Option<String>,
}

/// What a request says of itself before it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// It carries the secret.
    Secret,
    /// It is signed, which its body must bear out.
    Signed {
        id: String,
        stamp: String,
        signatures: Vec<Vec<u8>>,
    },
}

/// What the head of a request claims; `None`: it is not the hook's, whatever it says. One that is
/// signed must be signed well, whatever else it carries.
pub(crate) fn claimed(
    secrets: &[HookSecrets],
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Option<Claim> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if headers.contains_key("webhook-signature") {
        let (id, stamp) = (header("webhook-id")?, header("webhook-timestamp")?);
        let signed_at = DateTime::from_timestamp(stamp.parse().ok()?, 0)?;
        let given = header("webhook-signature")?.split(' ');
        let given = given.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        let signatures: Vec<Vec<u8>> = given.collect();
        let hopeless = secrets.is_empty() || signatures.is_empty();
        return (!hopeless && (now - signed_at).abs() <= WINDOW).then(|| Claim::Signed {
            id: id.to_owned(),
            stamp: stamp.to_owned(),
            signatures,
        });
    }
    let given = Sha256::digest(header("x-gitlab-token")?.as_bytes());
    let mut good = Choice::from(0);
    for secret in secrets {
        // Digests are of one length, so that none is told.
        let expected = Sha256::digest(secret.token.as_bytes());
        good |= given.as_slice().ct_eq(expected.as_slice());
    }
    bool::from(good).then_some(Claim::Secret)
}

impl Claim {
    /// Whether what was read bears it out; `None`: it does not.
    pub(crate) fn proven(&self, secrets: &[HookSecrets], body: &[u8]) -> Option<Proof> {
        let Self::Signed {
            id,
            stamp,
            signatures,
        } = self
        else {
            return Some(Proof { id: None });
        };
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", stamp.as_bytes(), b".", body];
        let mut good = Choice::from(0);
        for secret in secrets {
            let key = signing_key(&secret.signing_key);
            let Some(expected) = key.and_then(|key| hmac(&key, &parts)) else {
                continue;
            };
            for signature in signatures {
                good |= signature.as_slice().ct_eq(expected.as_slice());
            }
        }
        let id = Some(format!("{id}.{stamp}"));
        bool::from(good).then_some(Proof { id })
    }
}

fn signing_key(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.strip_prefix("whsec_")?).ok()
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"object_kind":"issue"}"#;

    fn proven(
        secrets: &[HookSecrets],
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Option<Proof> {
        claimed(secrets, headers, now)?.proven(secrets, body)
    }

    fn secrets() -> [HookSecrets; 1] {
        [HookSecrets {
            token: "open sesame".to_owned(),
            signing_key: format!("whsec_{}", STANDARD.encode([7; 32])),
        }]
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn signature(body: &[u8]) -> String {
        let parts: [&[u8]; 5] = [b"m1", b".", b"1700000000", b".", body];
        format!("v1,{}", STANDARD.encode(hmac(&[7; 32], &parts).unwrap()))
    }

    fn signed(signature: &str) -> HeaderMap {
        headers(&[
            ("webhook-id", "m1"),
            ("webhook-timestamp", "1700000000"),
            ("webhook-signature", signature),
        ])
    }

    #[test]
    fn the_mac_is_that_of_the_standard() {
        // RFC 4231, test cases 2 and 6.
        let two = hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]).unwrap();
        assert_eq!(
            hex::encode(two),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex::encode(hmac(&[0xaa; 131], &[text]).unwrap()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn the_secret_is_known_and_no_other() {
        let tells = |token: &str| {
            let headers = headers(&[("x-gitlab-token", token)]);
            proven(&secrets(), &headers, BODY, at(0))
        };
        assert_eq!(tells("open sesame"), Some(Proof { id: None }));
        for wrong in ["open sesam", "open sesame!", "", "Open sesame"] {
            assert_eq!(tells(wrong), None, "{wrong}");
        }
        assert_eq!(proven(&secrets(), &HeaderMap::new(), BODY, at(0)), None);
        let right = headers(&[("x-gitlab-token", "open sesame")]);
        assert_eq!(proven(&[], &right, BODY, at(0)), None, "there is no hook");
    }

    #[test]
    fn a_signature_holds_for_its_body_and_for_five_minutes() {
        let good = signed(&signature(BODY));
        let id = Some("m1.1700000000".to_owned());
        let expected = Some(Proof { id });
        for seconds in [-300, 0, 300] {
            assert_eq!(proven(&secrets(), &good, BODY, at(seconds)), expected);
        }
        for seconds in [-301, 301] {
            assert_eq!(proven(&secrets(), &good, BODY, at(seconds)), None);
        }
        assert_eq!(proven(&secrets(), &good, b"{}", at(0)), None);
        let several = signed(&format!("v1,AAAA v2,x {}", signature(BODY)));
        assert_eq!(proven(&secrets(), &several, BODY, at(0)), expected);
        for wrong in ["", "v1,", "v1,AAAA", "nonsense"] {
            assert_eq!(proven(&secrets(), &signed(wrong), BODY, at(0)), None);
        }
    }

    #[test]
    fn a_wrong_signature_is_not_mended_by_the_secret() {
        let mut both = signed("v1,AAAA");
        both.insert("x-gitlab-token", "open sesame".parse().unwrap());
        assert_eq!(proven(&secrets(), &both, BODY, at(0)), None);
    }
}
