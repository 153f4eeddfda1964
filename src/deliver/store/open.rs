//! From a store's settings to its client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientOptions, RetryConfig};
use secrecy::{ExposeSecret as _, SecretString};

use super::{PathTemplate, Place};
use crate::deliver::http;
use crate::render::Format;

/// What a store needs to know.
#[derive(Debug)]
pub struct StoreSettings {
    /// Where it is, and who asks.
    pub place: StorePlace,
    /// Where an edition's files stand in it.
    pub path: PathTemplate,
    /// Which files it gets; all when none.
    pub formats: Option<Vec<Format>>,
    /// How long to wait for each answer, in seconds.
    pub timeout_secs: u64,
}

/// Where a store is. An `endpoint` with plain HTTP is for this machine only.
#[derive(Debug)]
pub enum StorePlace {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of S3, or of what speaks its protocol.
    S3 {
        /// Its name.
        bucket: String,
        /// Its region, as in `eu-central-1`.
        region: String,
        /// Where the protocol is spoken, if not at AWS.
        endpoint: Option<String>,
        /// What every name begins with.
        prefix: Option<String>,
        /// The key's id.
        access_key: SecretString,
        /// The key.
        secret_key: SecretString,
    },
    /// A container of Azure Blob Storage.
    Azure {
        /// The storage account.
        account: String,
        /// The container's name.
        container: String,
        /// Where the account is reached, if not at Azure.
        endpoint: Option<String>,
        /// What every name begins with.
        prefix: Option<String>,
        /// One of the account's keys.
        key: SecretString,
    },
}

/// Name, place and prefix.
pub(super) fn place(place: StorePlace, timeout: Duration) -> Result<(String, Place, Option<String>), String> {
    // The ledger tries again, and says so; one try is one try.
    let once = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    match place {
        StorePlace::Folder(folder) => Ok((format!("folder {}", folder.display()), Place::Folder(folder), None)),
        StorePlace::S3 { bucket, region, endpoint, prefix, access_key, secret_key } => {
            let name = format!("S3 bucket {bucket}");
            let client = Client::new(endpoint.as_deref(), timeout)?;
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(bucket)
                .with_region(region)
                .with_access_key_id(access_key.expose_secret())
                .with_secret_access_key(secret_key.expose_secret())
                .with_checksum_algorithm(Checksum::SHA256)
                .with_retry(once)
                .with_allow_http(client.is_plain)
                .with_http_connector(client);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            let store = builder.build().map_err(|error| format!("{name}: {error}"))?;
            Ok((name, Place::Remote(Arc::new(store)), prefix))
        }
        StorePlace::Azure { account, container, endpoint, prefix, key } => {
            let name = format!("Azure container {container} of {account}");
            let client = Client::new(endpoint.as_deref(), timeout)?;
            let mut builder = MicrosoftAzureBuilder::new()
                .with_account(account)
                .with_container_name(container)
                .with_access_key(key.expose_secret())
                .with_retry(once)
                .with_allow_http(client.is_plain)
                .with_http_connector(client);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            // The crate's error would repeat a key that is not base64.
            let store = builder.build().map_err(|_| format!("{name}: the account's key or endpoint is malformed"))?;
            Ok((name, Place::Remote(Arc::new(store)), prefix))
        }
    }
}

/// One client, as the store asks for it.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    is_plain: bool,
}

impl Client {
    fn new(endpoint: Option<&str>, timeout: Duration) -> Result<Client, String> {
        let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        Ok(Client { http: http::client(is_plain, timeout)?, is_plain })
    }
}

impl HttpConnector for Client {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.http.clone()))
    }
}
