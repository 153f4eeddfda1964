//! Stores that are put into twice, break off, lose answers, fall silent, and hold other people's files.

use object_store::memory::InMemory;

use super::*;
use crate::deliver::failing::{FailsAt, How, io, reset};
use crate::deliver::mime::tests::parcel as mail;

const FOLDER: &str = "monthly/2026-10/1234566/report-viewer.en/1";

/// A parcel with a PDF, a workbook and its manifest.
fn parcel() -> Parcel {
    let mut parcel = mail("store finance");
    let file = |name: &str, format: Format, bytes: &'static [u8]| Attachment {
        file_name: name.into(),
        media_type: format.media_type().into(),
        bytes: bytes.into(),
    };
    parcel.attachments = vec![file("Größe.pdf", Format::Pdf, b"%PDF"), file("Größe.xlsx", Format::Xlsx, b"PK")];
    parcel
}

fn settings(folder: &FilePath) -> StoreSettings {
    StoreSettings {
        place: StorePlace::Folder(folder.to_path_buf()),
        path: PathTemplate::parse(PathTemplate::DEFAULT).unwrap(),
        formats: None,
        timeout_secs: 10,
    }
}

fn folder_store(folder: &FilePath) -> Store {
    Store::new(settings(folder)).unwrap()
}

/// Every file below a folder with its bytes.
fn tree(folder: &FilePath) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                    found.push((name, std::fs::read(&path).unwrap()));
                }
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_pack_is_put_with_its_manifest_and_a_second_time_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder_store(&folder.path().join("not/yet/there"));
    let first = store.deliver(&parcel()).await.outcome;
    let Outcome::Delivered(Receipt(receipt)) = &first else { panic!("{first:?}") };
    // By `printf '{}\n' | sha256sum`.
    let sum = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356";
    assert_eq!(*receipt, format!("{FOLDER}/edition.json and 2 files; SHA-256 {sum}"));
    let there = tree(&folder.path().join("not/yet/there"));
    let names: Vec<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Größe.pdf", "Größe.xlsx", "edition.json"].map(|name| format!("{FOLDER}/{name}")));
    assert_eq!(there[0].1, b"%PDF");
    assert_eq!(store.deliver(&parcel()).await.outcome, first);
    assert_eq!(tree(&folder.path().join("not/yet/there")), there);
}

#[tokio::test]
async fn what_has_other_bytes_is_never_overwritten_and_is_named() {
    for victim in ["Größe.pdf", "Größe.xlsx", "edition.json"] {
        // Of the same size, of another, and none.
        for other in ["#PDF", "{!\n", "much longer than what is to be put there", ""] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(FOLDER).join(victim);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, other).unwrap();
            let outcome = folder_store(folder.path()).deliver(&parcel()).await.outcome;
            let Outcome::Failed(words) = outcome else { panic!("{victim}: {outcome:?}") };
            assert!(words.contains(&format!("`{FOLDER}/{victim}` is there already with other content")), "{words}");
            assert!(words.contains("hint:"), "{words}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
            let has_manifest = folder.path().join(FOLDER).join("edition.json").exists();
            assert_eq!(has_manifest, victim == "edition.json", "what is not complete has no manifest of ours");
        }
    }
}

#[tokio::test]
async fn a_store_gets_the_formats_that_it_wants_and_always_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let only = StoreSettings { formats: Some(vec![Format::Xlsx]), ..settings(folder.path()) };
    assert!(matches!(Store::new(only).unwrap().deliver(&parcel()).await.outcome, Outcome::Delivered(_)));
    let names: Vec<String> = tree(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [format!("{FOLDER}/Größe.xlsx"), format!("{FOLDER}/edition.json")]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_tried_again_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let store = folder_store(&file);
    let outcome = store.deliver(&parcel()).await.outcome;
    let Outcome::Retryable(words) = outcome else { panic!("{outcome:?}") };
    assert!(words.contains(&file.display().to_string()), "{words}");
    assert!(store.check().await.is_err());
    let store = folder_store(folder.path());
    assert_eq!(store.check().await, Ok("it can be written".to_owned()));
    assert_eq!(tree(folder.path()).len(), 1, "the check leaves nothing behind");
}

/// A store over memory whose n-th call goes wrong.
fn failing(inner: &Arc<InMemory>, nth: usize, how: How, error: fn() -> Error) -> Store {
    let place = Arc::new(FailsAt::new(inner.clone(), nth, how, error));
    Store {
        name: "S3 bucket reports".into(),
        place: Place::Remote(place),
        prefix: Some("deep/er".into()),
        path: PathTemplate::parse(PathTemplate::DEFAULT).unwrap(),
        formats: None,
        timeout: Duration::from_millis(50),
    }
}

async fn names(inner: &InMemory) -> Vec<String> {
    let mut names: Vec<String> = inner.list(None).map(|object| object.unwrap().location.to_string()).collect().await;
    names.sort();
    names
}

#[tokio::test]
async fn whichever_call_goes_wrong_the_next_try_completes_the_pack() {
    // Each of three files is put and read back.
    for how in [How::Refused, How::Lost, How::Silent, How::DoneSilent] {
        for nth in 1..=6 {
            let inner = Arc::new(InMemory::new());
            let outcome = failing(&inner, nth, how, reset).deliver(&parcel()).await.outcome;
            let n_there = names(&inner).await.len();
            // A put that was done without an answer is found by looking.
            let is_settled = nth % 2 == 1 && matches!(how, How::Lost | How::DoneSilent);
            match &outcome {
                Outcome::Delivered(_) if is_settled => assert_eq!(n_there, 3),
                Outcome::Retryable(words) if !is_settled => {
                    assert_eq!(n_there, nth / 2, "{how:?} at call {nth}");
                    assert!(words.starts_with("S3 bucket reports: `deep/er/monthly/"), "{words}");
                }
                _ => panic!("{how:?} at call {nth}: {outcome:?}"),
            }
            let again = failing(&inner, usize::MAX, how, reset).deliver(&parcel()).await.outcome;
            assert!(matches!(again, Outcome::Delivered(_)), "{again:?}");
            let expected = ["Größe.pdf", "Größe.xlsx", "edition.json"].map(|name| format!("deep/er/{FOLDER}/{name}"));
            assert_eq!(names(&inner).await, expected);
        }
    }
}

#[tokio::test]
async fn what_an_admin_can_mend_is_tried_again_and_what_nobody_can_is_not() {
    type Made = fn() -> Error;
    let source = || "no".into();
    let cases: [(Made, bool, &str); 5] = [
        (|| Error::PermissionDenied { path: "x".into(), source: "no".into() }, true, "let it create, read and list"),
        (|| Error::Unauthenticated { path: "x".into(), source: "no".into() }, true, "the key is the right one"),
        (|| Error::NotFound { path: "x".into(), source: "no bucket".into() }, true, "make the bucket or container"),
        (|| Error::NotSupported { source: "no".into() }, false, "can create without overwriting"),
        (|| io(std::io::ErrorKind::StorageFull), true, "make room"),
    ];
    for (error, is_mendable, hint) in cases {
        let inner = Arc::new(InMemory::new());
        let outcome = failing(&inner, 1, How::Refused, error).deliver(&parcel()).await.outcome;
        let words = match &outcome {
            Outcome::Retryable(words) if is_mendable => words,
            Outcome::Failed(words) if !is_mendable => words,
            _ => panic!("{outcome:?}"),
        };
        assert!(words.contains(hint), "{words}");
    }
    let long = Error::Generic { store: "test", source: source() };
    assert!(said(&long).len() < 2 * WORDS_CHARS_MAX);
    let page = Error::Generic { store: "test", source: format!("<html>\r\n{}", "x".repeat(10_000)).into() };
    assert!(said(&page).chars().count() <= WORDS_CHARS_MAX && !said(&page).contains('\n'));
}

#[tokio::test]
async fn two_at_once_put_one_pack() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder_store(folder.path());
    let parcel = parcel();
    let outcomes = futures::future::join_all((0..8).map(|_| store.deliver(&parcel))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome.outcome, Outcome::Delivered(_))), "{outcomes:?}");
    assert_eq!(tree(folder.path()).len(), 3);
}

#[test]
fn keys_never_stand_in_what_is_printed() {
    let key = || secrecy::SecretString::from("geheim".to_owned());
    let place = StorePlace::S3 {
        bucket: "reports".into(),
        region: "eu-central-1".into(),
        endpoint: Some("http://127.0.0.1:9".into()),
        prefix: None,
        access_key: key(),
        secret_key: key(),
    };
    let settings = StoreSettings { place, ..settings(FilePath::new("/nowhere")) };
    assert!(!format!("{settings:?}").contains("geheim"));
    let place = StorePlace::Azure {
        account: "reports".into(),
        container: "reports".into(),
        endpoint: None,
        prefix: None,
        key: secrecy::SecretString::from("geheim: no base64".to_owned()),
    };
    let error = Store::new(StoreSettings { place, ..settings }).unwrap_err();
    assert!(error.contains("malformed") && !error.contains("geheim"), "{error}");
}
