//! What may be spoken to in plain.

use std::net::IpAddr;

/// Whether a host is this machine by its very name, whatever a name server says: nothing leaves it on the way there.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
