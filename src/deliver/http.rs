//! HTTP clients, for stores and token servers: over the mail's TLS and the system's authorities, without redirects.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

/// A client for one server; what is on this machine may be asked in plain, and then no proxy is.
///
/// # Errors
/// When the system has no certificate authorities, in words.
pub(super) fn client(is_plain: bool, timeout: Duration) -> Result<reqwest::Client, String> {
    let mut roots = RootCertStore::empty();
    if !is_plain {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or(String::new(), |error| format!(": {error}"));
            return Err(format!("no certificate authorities on this system{why}; hint: install ca-certificates"));
        }
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(!is_plain)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("pressrun/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeout)
        .timeout(timeout);
    if is_plain {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| format!("HTTP: {error}"))
}
