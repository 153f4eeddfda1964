//! The demo's own files as other programs see them, and its mails as a real relay takes them.

use std::collections::BTreeSet;

use crate::mail::Maildev;
use crate::pdf::qpdf_check;
use crate::workbook::{libreoffice_convert, ooxml_validate};
use crate::workplace::Workplace;

#[test]
fn the_demo_s_files_pass_the_validators_of_others() {
    let place = Workplace::demo(4);
    let archive = place.path("archive");
    let of = |ending: &str| {
        let files = place.files("archive").into_iter().map(|file| archive.join(file));
        files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect::<Vec<_>>()
    };
    let (pdfs, workbooks) = (of("pdf"), of("xlsx"));
    assert!(pdfs.len() > 4 && pdfs.len() == workbooks.len());
    for path in &pdfs {
        qpdf_check(path).unwrap_or_else(|words| panic!("{}: {words}", path.display()));
    }
    // Of the smallest and the largest workbook: the validator takes its time.
    let mut sized = workbooks.clone();
    sized.sort_by_key(|path| std::fs::metadata(path).unwrap().len());
    for path in [&sized[0], &sized[sized.len() - 1]] {
        ooxml_validate(path).unwrap_or_else(|words| panic!("{}: {words}", path.display()));
    }
    let folder = tempfile::tempdir().unwrap();
    libreoffice_convert(&sized[0], "pdf", folder.path()).unwrap();
}

#[test]
fn a_real_relay_takes_one_mail_for_each_recipient_and_none_twice() {
    let place = Workplace::sample(3);
    place.ingest_sample();
    let relay = Maildev::start();
    let config = place.path("pressrun.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let through = format!("[mail.relay]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n", relay.smtp_port);
    std::fs::write(&config, text.replace("outbox = \"outbox\"\n", &through)).unwrap();
    for _ in 0..2 {
        place.run(&["run", "monthly"]).with(0);
    }
    let mails = relay.emails().unwrap();
    let delivered =
        place.run(&["status", "--json"]).with(0).json()["runs"][1]["counts"]["deliveries"]["delivered"].clone();
    assert_eq!(mails.len() as u64, delivered.as_u64().unwrap());
    assert!(mails.len() > 3);
    let to: BTreeSet<String> = mails.iter().map(|mail| mail["to"].to_string()).collect();
    assert_eq!(to.len(), mails.len());
    for mail in &mails {
        assert!(mail["subject"].as_str().unwrap().starts_with("Product licenses · "), "{mail}");
        let names = mail["attachments"].as_array().unwrap_or_else(|| panic!("{mail}")).iter();
        let endings: Vec<String> = names
            .map(|file| {
                file["filename"].as_str().unwrap_or_else(|| panic!("{file}")).rsplit('.').next().unwrap().to_owned()
            })
            .collect();
        // The pictures go with the HTML, which names them.
        let (pictures, files): (Vec<&str>, Vec<&str>) =
            endings.iter().map(String::as_str).partition(|ending| *ending == "png");
        assert_eq!(files, ["pdf", "xlsx"], "the PDF comes first");
        let html = mail["html"].as_str().unwrap();
        // The catcher puts each picture in where the HTML names it.
        let n_shown = html.matches("src=\"data:image/png;base64,").count();
        assert!(n_shown > 0 && n_shown == pictures.len() && !html.contains("cid:"), "{html}");
    }
}
