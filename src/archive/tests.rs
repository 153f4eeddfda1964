//! Packs that break off, collide, are tampered with, and read back.

use std::io::ErrorKind;

use object_store::memory::InMemory;

use super::*;
use crate::base::EditionId;
use crate::deliver::failing::{FailsAt, How, io, reset};
use crate::render::email::MailBody;

fn key() -> PackKey {
    PackKey {
        report: "product-licenses".into(),
        schedule: "monthly".into(),
        period: "2026-10".parse().unwrap(),
        partner_id: "1234566".into(),
        audience: "report-viewer.en".into(),
        number: 1,
    }
}

fn manifest(key: &PackKey) -> Manifest {
    Manifest {
        schema: Manifest::SCHEMA,
        edition: EditionId::of("monthly", key.period, "1234566|report-viewer|organization|en", key.number),
        revision: key.number,
        supersedes: None,
        report: key.report.clone(),
        schedule: key.schedule.clone(),
        period: key.period,
        partner_id: key.partner_id.clone(),
        audience: ManifestAudience {
            role: "report-viewer".into(),
            scope: "organization".into(),
            language: "en".into(),
        },
        data_set: serde_json::json!({ "kind": "loads", "n": 17 }),
        data_at: chrono::DateTime::from_timestamp(1_795_226_400, 0).unwrap(),
        template: Digest::of(b"template"),
        theme: Digest::of(b"theme"),
        fonts: Digest::of(b"fonts"),
        program: "pressrun 0.1.0".into(),
        files: vec![],
    }
}

fn file(name: &str, bytes: &str) -> PackFile {
    PackFile { name: name.into(), media_type: "text/plain".into(), bytes: bytes.to_owned().into() }
}

fn files() -> Vec<PackFile> {
    vec![file("report.json", "{}"), file("Größe~1a2b3c4d.pdf", "%PDF"), file("سارة.xlsx", "PK")]
}

const FOLDER: &str = "product-licenses/monthly/2026-10/1234566/report-viewer.en";

fn names(pack: &Pack) -> Vec<&str> {
    pack.files.iter().map(|file| file.name.as_str()).collect()
}

/// Every file below a folder with its bytes.
fn tree(folder: &FilePath) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_pack_is_put_under_its_human_names_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::folder(&folder.path().join("not/yet/there")).unwrap();
    let archived = archive.put(&key(), &files(), manifest(&key())).await.unwrap();
    assert_eq!(archived.path, format!("{FOLDER}/1"));
    let on_disk: Vec<String> =
        tree(&folder.path().join("not/yet/there").join(&archived.path)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(on_disk, ["Größe~1a2b3c4d.pdf", "edition.json", "report.json", "سارة.xlsx"]);
    let pack = archive.get(&archived.path).await.unwrap();
    assert_eq!(names(&pack), ["Größe~1a2b3c4d.pdf", "report.json", "سارة.xlsx"]);
    assert_eq!(pack.files[0].bytes, "%PDF");
    assert_eq!(pack.manifest_digest, archived.manifest_digest);
    // By `printf '{}' | sha256sum`.
    let expected = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(pack.manifest.files[1].digest.to_string(), expected);
    assert_eq!(archive.list("").await.unwrap(), std::slice::from_ref(&archived.path));
    assert_eq!(archive.list("product-licenses/monthly").await.unwrap(), [archived.path]);
    assert!(archive.list("product-licenses/other").await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_pack_again_changes_nothing_and_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::folder(folder.path()).unwrap();
    let first = archive.put(&key(), &files(), manifest(&key())).await.unwrap();
    let before = tree(folder.path());
    let mut in_another_order = files();
    in_another_order.reverse();
    assert_eq!(archive.put(&key(), &in_another_order, manifest(&key())).await.unwrap(), first);
    let other = archive.put(&key(), &[file("report.json", "{1}")], manifest(&key())).await;
    assert!(matches!(&other, Err(ArchiveError::Taken { path, .. }) if *path == first.path), "{other:?}");
    assert_eq!(tree(folder.path()), before);
    let next = PackKey { number: 2, ..key() };
    assert_eq!(archive.put(&next, &files(), manifest(&next)).await.unwrap().path, format!("{FOLDER}/2"));
}

#[tokio::test]
async fn an_orphan_is_completed_if_it_is_ours_and_passed_over_if_not() {
    for (orphan, expected) in [
        (file("report.json", "{}"), "1"),
        (file("report.json", "{ }"), "1.2"),
        (file("report.json", "[]"), "1.2"),
        (file("of-nobody.txt", "x"), "1.2"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join(FOLDER).join("1");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join(&orphan.name), &orphan.bytes).unwrap();
        let archive = Archive::folder(folder.path()).unwrap();
        let archived = archive.put(&key(), &files(), manifest(&key())).await.unwrap();
        assert_eq!(archived.path, format!("{FOLDER}/{expected}"), "{}", orphan.name);
        assert_eq!(std::fs::read(place.join(&orphan.name)).unwrap(), orphan.bytes);
        let again = archive.put(&key(), &files(), manifest(&key())).await.unwrap();
        assert_eq!(again, archived);
        if expected == "1.2" {
            assert_eq!(tree(&place).len(), 1, "nothing of ours lies beside the orphan");
        }
        assert_eq!(archive.list("").await.unwrap(), [archived.path]);
    }
}

#[tokio::test]
async fn a_change_after_the_fact_is_found_and_named() {
    for (what, bytes, expected) in [
        ("report.json", Some("{\"a\":1}"), "`report.json` was changed"),
        ("report.json", Some("[]"), "`report.json` was changed"),
        ("سارة.xlsx", None, "`سارة.xlsx` is missing"),
        ("edition.json", None, "`edition.json` is missing"),
        ("edition.json", Some("{"), "the manifest cannot be read"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::folder(folder.path()).unwrap();
        let path = archive.put(&key(), &files(), manifest(&key())).await.unwrap().path;
        let victim = folder.path().join(&path).join(what);
        match bytes {
            Some(bytes) => std::fs::write(victim, bytes).unwrap(),
            None => std::fs::remove_file(victim).unwrap(),
        }
        let error = archive.get(&path).await.err().unwrap();
        assert!(error.to_string().contains(expected) && !error.is_transient(), "{error}");
    }
}

#[tokio::test]
async fn a_manifest_never_leads_out_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::folder(folder.path()).unwrap();
    let path = archive.put(&key(), &files(), manifest(&key())).await.unwrap().path;
    let victim = folder.path().join(&path).join(MANIFEST_NAME);
    let text = std::fs::read_to_string(&victim).unwrap().replace("report.json", "../../secret");
    std::fs::write(victim, text).unwrap();
    assert!(matches!(archive.get(&path).await, Err(ArchiveError::Name(_))));
    for path in ["", "..", "../x", "a/../../b", "/"] {
        assert!(archive.get(path).await.is_err(), "{path}");
    }
}

#[tokio::test]
async fn names_that_collide_on_some_file_system_never_meet() {
    let archive = Archive::new("memory", Arc::new(InMemory::new()));
    let mut paths = Vec::new();
    for partner_id in ["a/b", "a?b", "a b", "A b", "..", ".", "", "a~b", "CON"] {
        let key = PackKey { partner_id: partner_id.into(), ..key() };
        paths.push(archive.put(&key, &files(), manifest(&key)).await.unwrap().path.to_lowercase());
    }
    let n = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), n, "{paths:?}");
    assert!(paths.iter().all(|path| path.split('/').count() == 6), "{paths:?}");
    for bad in ["", "a/b", "..", ".x", "Edition.json", "a\nb", "a#1", &"x".repeat(201)] {
        let refused = archive.put(&key(), &[file(bad, "")], manifest(&key())).await;
        assert!(matches!(refused, Err(ArchiveError::Name(_))), "{bad}");
    }
    let twice = archive.put(&key(), &[file("a.pdf", ""), file("A.PDF", "")], manifest(&key())).await;
    assert!(matches!(twice, Err(ArchiveError::Name(_))));
}

#[tokio::test]
async fn a_manifest_of_another_edition_is_refused() {
    let archive = Archive::new("memory", Arc::new(InMemory::new()));
    let other = PackKey { partner_id: "999".into(), ..key() };
    let refused = archive.put(&key(), &files(), manifest(&other)).await;
    assert!(matches!(refused, Err(ArchiveError::Disagree("partner"))));
}

#[tokio::test]
async fn the_canary_leaves_nothing_and_names_a_place_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::folder(folder.path()).unwrap();
    std::fs::write(folder.path().join(CANARY), b"left by a crash").unwrap();
    archive.canary().await.unwrap();
    assert!(tree(folder.path()).is_empty());
    let occupied = folder.path().join("file");
    std::fs::write(&occupied, b"").unwrap();
    let error = Archive::folder(&occupied.join("archive")).unwrap_err().to_string();
    assert!(error.contains("file/archive") && error.contains("hint:"), "{error}");
    let full = Archive::new(
        "disk",
        Arc::new(FailsAt::new(Arc::new(InMemory::new()), 1, How::Refused, || io(ErrorKind::StorageFull))),
    );
    let error = full.canary().await.unwrap_err();
    assert!(matches!(error, ArchiveError::Full { .. }) && error.is_transient(), "{error}");
    assert!(error.to_string().contains("`disk`") && error.to_string().contains("hint: make room"), "{error}");
}

#[tokio::test]
async fn a_crash_between_any_two_writes_is_made_good_by_the_next_try() {
    let n_writes = files().len() + 1;
    for how in [How::Refused, How::Lost] {
        for nth in 1..=n_writes {
            let folder = tempfile::tempdir().unwrap();
            let local = object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
            // The first call looks for a manifest that is there.
            let broken = Archive::new("failing", Arc::new(FailsAt::new(Arc::new(local), nth + 1, how, reset)));
            let error = broken.put(&key(), &files(), manifest(&key())).await.unwrap_err();
            assert!(error.is_transient(), "{error}");
            let before = tree(folder.path());
            let n_before = if how == How::Lost { nth } else { nth - 1 };
            assert_eq!(before.len(), n_before);
            let archive = Archive::folder(folder.path()).unwrap();
            let is_complete = n_before == n_writes;
            assert_eq!(archive.list("").await.unwrap().len(), usize::from(is_complete));
            let archived = archive.put(&key(), &files(), manifest(&key())).await.unwrap();
            assert_eq!(archived.path, format!("{FOLDER}/1"));
            assert_eq!(archive.get(&archived.path).await.unwrap().files.len(), files().len());
            let after = tree(folder.path());
            assert_eq!(after.len(), n_writes);
            assert!(before.iter().all(|object| after.contains(object)), "no object was changed");
        }
    }
}

#[tokio::test]
async fn two_writers_of_one_pack_end_with_one_pack() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::folder(folder.path()).unwrap();
    let puts = (0..8).map(|_| async { archive.put(&key(), &files(), manifest(&key())).await.unwrap().path });
    let paths = futures::future::join_all(puts).await;
    assert!(paths.iter().all(|path| *path == format!("{FOLDER}/1")), "{paths:?}");
    assert_eq!(tree(folder.path()).len(), files().len() + 1);
}

#[tokio::test]
async fn the_mail_reads_back_as_it_was_archived() {
    let mail = MailBody {
        subject: "Product licenses, Größe & Söhne".to_owned(),
        text: "One line.\n\nAnother.\n".to_owned(),
        html: "<p>One</p>\n".to_owned(),
        pictures: vec![],
    };
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::folder(folder.path()).unwrap();
    let key = key();
    let archived = archive.put(&key, &PackFile::mail(&mail), manifest(&key)).await.unwrap();
    assert_eq!(archive.get(&archived.path).await.unwrap().mail(), Some(mail));
}

#[tokio::test]
async fn a_shelf_has_what_is_complete_of_one_period_in_whichever_folder() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::folder(folder.path()).unwrap();
    assert!(!archive.shelf(&key()).await.unwrap().has(&key()).unwrap(), "nothing was ever filed");
    let of = |partner: &str, number| PackKey { partner_id: partner.into(), number, ..key() };
    // An orphan stands in the first folder, so that the pack takes `1.2`.
    let orphan = folder.path().join(FOLDER).join("1/report.json");
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, "other bytes").unwrap();
    assert!(!archive.shelf(&key()).await.unwrap().has(&key()).unwrap(), "an orphan is no pack");
    let archived = archive.put(&key(), &files(), manifest(&key())).await.unwrap();
    assert!(archived.path.ends_with("/1.2"), "{}", archived.path);
    let twelfth = of("A/B", 12);
    archive.put(&twelfth, &files(), manifest(&twelfth)).await.unwrap();
    let longer = PackKey { schedule: "monthly-2".into(), ..of("7", 1) };
    archive.put(&longer, &files(), manifest(&longer)).await.unwrap();
    let shelf = archive.shelf(&key()).await.unwrap();
    let has = [key(), twelfth, of("A/B", 1), of("1234566", 2), of("7", 1)].map(|key| shelf.has(&key).unwrap());
    assert_eq!(has, [true, true, false, false, false]);
}

#[tokio::test]
async fn an_archive_that_is_away_says_so_is_not_made_anew_and_goes_on_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, gone) = (folder.path().join("archive"), folder.path().join("gone"));
    let archive = Archive::folder(&path).unwrap();
    let key = key();
    let put = archive.put(&key, &files(), manifest(&key)).await.unwrap();
    std::fs::rename(&path, &gone).unwrap();
    for instead in [None, Some("a file")] {
        instead.iter().for_each(|text| std::fs::write(&path, text).unwrap());
        let errors = [
            archive.put(&key, &files(), manifest(&key)).await.unwrap_err(),
            archive.get(&put.path).await.unwrap_err(),
            archive.list("").await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, ArchiveError::Away { .. }) && error.is_transient(), "{error}");
        }
        assert!(!path.is_dir());
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&gone, &path).unwrap();
    assert_eq!(archive.put(&key, &files(), manifest(&key)).await.unwrap(), put);
}
