//! Where a request comes from, as far as that can be believed.

use axum::{extract::ConnectInfo, http::request::Parts};
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";

/// The proxies whose word is taken for where a request comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

/// A text that names no proxies.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no address: write addresses or networks with commas between, `10.0.0.0/8, ::1`")]
pub struct ProxiesError(String);

impl FromStr for TrustedProxies {
    type Err = ProxiesError;

    fn from_str(text: &str) -> Result<Self, ProxiesError> {
        let named = text
            .split([',', ' '])
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let networks = named.map(|part| {
            let network = part.parse::<IpNet>();
            network
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| ProxiesError(part.to_owned()))
        });
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }
}

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Who is at the other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Client {
    /// Its address; none: it is not known.
    pub(crate) address: Option<IpAddr>,
    /// It came over TLS, up to a proxy that is trusted.
    pub(crate) secure: bool,
}

impl Client {
    /// By the connection; and, where that is a trusted proxy's, by what the proxy says. A proxy
    /// appends, so that what a stranger made up stands to the left of the first untrusted address
    /// from the right.
    pub(crate) fn of(parts: &Parts, proxies: &TrustedProxies) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let Some(peer) = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()) else {
            return Self::default();
        };
        if !proxies.trust(peer) {
            return Self {
                address: Some(peer),
                secure: false,
            };
        }
        let mut address = peer;
        for hop in words(parts, FOR).iter().rev() {
            let Some(hop) = read(hop) else { break };
            address = hop;
            if !proxies.trust(hop) {
                break;
            }
        }
        let proto = words(parts, PROTO);
        Self {
            address: Some(address),
            secure: proto
                .last()
                .is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
        }
    }

    /// As the audit and the log name it.
    pub(crate) fn name(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// What is counted together: of IPv6 the network of one customer, who has as many addresses as
    /// they like.
    pub(crate) fn counted(&self) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            Some(IpAddr::V4(address)) => address.to_string(),
            None => "unknown".to_owned(),
        }
    }
}

/// The words of all headers of that name, in their order.
fn words(parts: &Parts, name: &str) -> Vec<String> {
    let headers = parts.headers.get_all(name).iter();
    headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(','))
        .map(|word| word.trim().to_owned())
        .collect()
}

/// An address, as proxies write it: some with the port.
fn read(word: &str) -> Option<IpAddr> {
    let bare = word.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok();
    let address = address.or_else(|| word.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn client(peer: &str, proxies: &str, headers: &[(&str, &str)]) -> Client {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let peer: SocketAddr = peer.parse().unwrap();
        parts.extensions.insert(ConnectInfo(peer));
        Client::of(&parts, &proxies.parse().unwrap())
    }

    fn from(address: &str, secure: bool) -> Client {
        Client {
            address: Some(address.parse().unwrap()),
            secure,
        }
    }

    #[test]
    fn a_strangers_word_is_not_taken_for_where_it_comes_from() {
        let claims = [(FOR, "192.0.2.9"), (PROTO, "https")];
        let seen = client("198.51.100.1:9", "10.0.0.0/8", &claims);
        assert_eq!(seen, from("198.51.100.1", false));
        let seen = client("10.0.0.1:9", "", &claims);
        assert_eq!(seen, from("10.0.0.1", false));
    }

    #[test]
    fn of_what_proxies_append_the_first_stranger_from_the_right_counts() {
        let claims = [(FOR, "127.0.0.1, 192.0.2.9, 10.0.0.2"), (PROTO, "https")];
        let seen = client("10.0.0.1:9", "10.0.0.0/8", &claims);
        assert_eq!(seen, from("192.0.2.9", true));
        let apart = [(FOR, "192.0.2.9"), (FOR, "192.0.2.8:443")];
        let seen = client("[::ffff:10.0.0.1]:9", "10.0.0.0/8 ::1", &apart);
        assert_eq!(seen, from("192.0.2.8", false));
        let nonsense = [(FOR, "192.0.2.9, nobody")];
        let seen = client("10.0.0.1:9", "10.0.0.1", &nonsense);
        assert_eq!(seen, from("10.0.0.1", false));
    }

    #[test]
    fn one_customer_of_ipv6_is_counted_as_one() {
        let counted = |address| from(address, false).counted();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2::1"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn what_is_no_network_is_named() {
        let wrong = "10.0.0.0/8,proxy".parse::<TrustedProxies>();
        assert!(wrong.unwrap_err().to_string().contains("`proxy`"));
        assert_eq!("".parse(), Ok(TrustedProxies::default()));
    }
}
