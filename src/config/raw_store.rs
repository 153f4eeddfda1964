//! `[stores.NAME]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::at::At;
use super::raw::{RawRetries, RawSecret};
use crate::render::Format;

/// A store that editions are put into: a folder, a bucket of S3 or a container of Azure Blob Storage.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    /// A folder; made when it is not there.
    #[schemars(length(min = 1))]
    pub folder: Option<At<String>>,
    /// A bucket of S3, or of what speaks its protocol.
    pub s3: Option<At<RawS3>>,
    /// A container of Azure Blob Storage.
    pub azure: Option<At<RawAzure>>,
    /// Where each file stands, as in `{schedule}/{period}/{partner_id}/{audience}/{revision}/{file}`.
    #[schemars(length(min = 1))]
    pub path: Option<At<String>>,
    /// Which files it gets.
    #[schemars(length(min = 1))]
    pub formats: Option<Vec<At<Format>>>,
    /// The role whose editions over each whole partner it gets; whatever is made for recipients when left out.
    #[schemars(length(min = 1))]
    pub role: Option<At<String>>,
    /// How long to wait for each answer, in seconds.
    #[schemars(range(min = 1, max = 600))]
    pub timeout_secs: Option<At<u32>>,
    /// When a pack that was not taken is tried again.
    pub retries: Option<At<RawRetries>>,
}

/// A bucket of S3.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawS3 {
    /// Its name.
    #[schemars(required, length(min = 3, max = 63))]
    pub bucket: Option<At<String>>,
    /// Its region, as in `eu-central-1`.
    #[schemars(required, length(min = 1))]
    pub region: Option<At<String>>,
    /// Where the protocol is spoken, if not at AWS, as in `https://s3.example.com`.
    #[schemars(length(min = 1))]
    pub endpoint: Option<At<String>>,
    /// What every name begins with.
    #[schemars(length(min = 1))]
    pub prefix: Option<At<String>>,
    /// Where the key's id is.
    #[schemars(required)]
    pub access_key: Option<At<RawSecret>>,
    /// Where the key is.
    #[schemars(required)]
    pub secret_key: Option<At<RawSecret>>,
}

/// A container of Azure Blob Storage.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAzure {
    /// The storage account.
    #[schemars(required, length(min = 3, max = 24))]
    pub account: Option<At<String>>,
    /// The container's name.
    #[schemars(required, length(min = 3, max = 63))]
    pub container: Option<At<String>>,
    /// Where the account is reached, if not at `https://ACCOUNT.blob.core.windows.net`.
    #[schemars(length(min = 1))]
    pub endpoint: Option<At<String>>,
    /// What every name begins with.
    #[schemars(length(min = 1))]
    pub prefix: Option<At<String>>,
    /// Where one of the account's keys is.
    #[schemars(required)]
    pub key: Option<At<RawSecret>>,
}
