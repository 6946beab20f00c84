//! What kind of GitLab is simulated: edition, version, limits, switches.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::text::quick_actions::Generation;

/// Which GitLab this is; `Premium` and `Ultimate` carry that licence (facts section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// Community Edition: no weight, iterations, epics, scoped exclusivity.
    Ce,
    /// Enterprise code base with a Premium licence.
    Premium,
    /// Enterprise code base with an Ultimate licence.
    Ultimate,
}

impl Edition {
    /// Whether `/metadata` says `enterprise`: the code base, not the licence.
    #[must_use]
    pub fn enterprise(self) -> bool {
        match self {
            Self::Ce => false,
            Self::Premium | Self::Ultimate => true,
        }
    }
}

impl FromStr for Edition {
    type Err = UnknownSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ce" => Ok(Self::Ce),
            "premium" => Ok(Self::Premium),
            "ultimate" => Ok(Self::Ultimate),
            other => Err(UnknownSetting(other.to_owned())),
        }
    }
}

/// A setting's text that names nothing the simulator knows.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{0}` is not known here")]
pub struct UnknownSetting(pub String);

/// A GitLab version such as `18.4.0`; compared by number, shown with its edition's suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl Version {
    /// Whether this version is `major.minor` or later.
    #[must_use]
    pub fn at_least(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor).cmp(&(major, minor)) != Ordering::Less
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = UnknownSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.split(['.', '-']).map(str::parse::<u32>);
        let mut next = || numbers.next().and_then(Result::ok);
        match (next(), next()) {
            (Some(major), Some(minor)) => Ok(Self {
                major,
                minor,
                patch: next().unwrap_or(0),
            }),
            _ => Err(UnknownSetting(text.to_owned())),
        }
    }
}

/// How a limit counts (facts section 9: GitLab counts in fixed windows aligned to the epoch).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// Window number = unix time div period.
    #[default]
    Fixed,
    /// The last period before now, as a proxy in front of GitLab may count.
    Sliding,
}

/// Request limits, each `(count, period)`; `None` is off.
#[derive(Clone, Debug)]
pub struct RateLimits {
    /// All API requests of a user; refused as rack does it, in plain text.
    pub api: Option<(u32, Duration)>,
    /// Note creation per user; refused as the application does it, in JSON.
    pub notes: Option<(u32, Duration)>,
    /// Issue creation per project and user.
    pub issues: Option<(u32, Duration)>,
    /// Requests with `search=` per user.
    pub search: Option<(u32, Duration)>,
    /// How all of them count.
    pub window: Window,
    /// Whether a rack refusal carries `RateLimit-*` and `Retry-After`.
    pub api_headers: bool,
    /// Whether every answer carries `RateLimit-*`, as GitLab.com's do.
    pub headers_on_every_answer: bool,
    /// Whether an application refusal carries `Retry-After` with the whole period (newest versions).
    pub application_retry_after: bool,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            api: None,
            notes: None,
            issues: None,
            search: None,
            window: Window::Fixed,
            api_headers: true,
            headers_on_every_answer: false,
            application_retry_after: false,
        }
    }
}

/// Everything about an instance that its administrator could choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Edition and licence.
    pub edition: Edition,
    /// Whether the licence is valid; without one an enterprise code base behaves as CE in writes.
    pub licensed: bool,
    /// Version, which gates several behaviours.
    pub version: Version,
    /// Which quick-action extractor runs.
    pub quick_actions: Generation,
    /// Overrides whether scoped labels exclude each other; `None` follows the licence.
    pub scoped_exclusivity: Option<bool>,
    /// The configured address, used in `web_url` and `Link`; `None` is the bound address.
    pub external_url: Option<String>,
    /// Request limits.
    pub limits: RateLimits,
    /// Largest upload in bytes, above it 413; `None` is unlimited.
    pub max_attachment_bytes: Option<u64>,
    /// Whether threads of issues can be resolved, which came later than for merge requests (facts
    /// section 2).
    pub resolvable_issue_threads: bool,
    /// Origin of an object storage: API downloads answer 302 to it instead of the bytes.
    pub uploads_redirect_to: Option<String>,
    /// Whether a download announces its length.
    pub announce_length: bool,
    /// Seed of secrets, discussion ids and random faults.
    pub seed: u64,
    /// First global id is this plus one, so that two instances never share ids by accident.
    pub ids_from: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            edition: Edition::Premium,
            licensed: true,
            version: Version {
                major: 18,
                minor: 4,
                patch: 0,
            },
            quick_actions: Generation::Current,
            scoped_exclusivity: None,
            external_url: None,
            limits: RateLimits::default(),
            max_attachment_bytes: Some(100 * 1024 * 1024),
            resolvable_issue_threads: true,
            uploads_redirect_to: None,
            announce_length: true,
            seed: 1,
            ids_from: 0,
        }
    }
}

impl Settings {
    /// Whether Premium features are licensed: weight, iterations, epics, several assignees.
    #[must_use]
    pub fn premium(&self) -> bool {
        self.licensed && self.edition.enterprise()
    }

    /// Whether labels of one scope exclude each other (facts section 5).
    #[must_use]
    pub fn scoped_labels_exclude(&self) -> bool {
        self.scoped_exclusivity.unwrap_or_else(|| self.premium())
    }

    /// The version text that `/metadata` shows: enterprise code bases end in `-ee`.
    #[must_use]
    pub fn version_text(&self) -> String {
        let suffix = if self.edition.enterprise() { "-ee" } else { "" };
        format!("{}{suffix}", self.version)
    }
}
