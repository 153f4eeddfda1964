//! A store that breaks off, loses its answer or falls silent, for tests.

use std::io::ErrorKind;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

/// How a call goes wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum How {
    /// Nothing is done, and it says so.
    Refused,
    /// It is done, and the answer is lost.
    Lost,
    /// Nothing is done, and nothing is said.
    Silent,
    /// Done, and nothing is said.
    DoneSilent,
}

/// A store whose n-th call, to put or to get, goes wrong.
#[derive(Debug)]
pub(crate) struct FailsAt {
    inner: Arc<dyn ObjectStore>,
    left: Mutex<usize>,
    how: How,
    error: fn() -> Error,
}

impl std::fmt::Display for FailsAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a store that fails")
    }
}

impl FailsAt {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, nth: usize, how: How, error: fn() -> Error) -> FailsAt {
        FailsAt { inner, left: Mutex::new(nth), how, error }
    }

    fn fails(&self) -> bool {
        let mut left = self.left.lock().unwrap();
        *left = left.wrapping_sub(1);
        *left == 0
    }

    async fn call<T>(&self, done: impl Future<Output = StoreResult<T>> + Send) -> StoreResult<T> {
        if !self.fails() {
            return done.await;
        }
        if matches!(self.how, How::Lost | How::DoneSilent) {
            done.await.ok();
        }
        if matches!(self.how, How::Silent | How::DoneSilent) {
            std::future::pending::<()>().await;
        }
        Err((self.error)())
    }
}

#[async_trait::async_trait]
impl ObjectStore for FailsAt {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        assert_eq!(options.mode, PutMode::Create, "nothing is ever overwritten");
        self.call(self.inner.put_opts(path, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.call(self.inner.get_opts(path, options)).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<bytes::Bytes>> {
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// A connection that was cut.
pub(crate) fn reset() -> Error {
    io(ErrorKind::ConnectionReset)
}

/// An error that the system gave.
pub(crate) fn io(kind: ErrorKind) -> Error {
    Error::Generic { store: "test", source: Box::new(std::io::Error::from(kind)) }
}
